"""A detector as one line of text: ``pca``, ``lstm(hidden=32, epochs=5)``, ``pai(pca(latent=2))``."""

from __future__ import annotations

import ast
import difflib
import inspect

from redshank.core import Detector, SettingError
from redshank.core.learned import Setting
from redshank.detectors import DETECTORS

LONGEST = 2000
"""Characters that a text may have: enough for dozens of members, too few to nest until Python gives up."""


def detector_of(text: str) -> Detector:
    """The unfitted detector that a text describes.

    Parameters
    ----------
    text : str
        A registered name, with settings in brackets where they are not to be the usual ones:
        ``lstm(hidden=32, epochs=5)``. Values are Python literals. Where the first setting of a detector is the text of
        another, or several, they may stand there as they are: ``pai(pca(latent=2))``, ``ensemble(pca, ridge)``.

    Raises
    ------
    SettingError
        If the text cannot be read, or a name or a setting is unknown; the nearest is offered. Whether a value
        is in range is checked by ``fit``.
    MissingExtraError
        If the detector needs an extra that is not installed.
    """
    make, settings = read_spec(text)
    detector = make(**settings)
    _ = detector.tags  # of a detector made of others: reads their texts, so that a wrong one is told of now
    return detector


def read_spec(text: str) -> tuple[type[Detector], dict[str, Setting]]:
    """Class and given settings of a text; raises what :func:`detector_of` does."""
    tree, name = _tree(text)
    make = DETECTORS.get(name)
    known = list(inspect.signature(make).parameters)
    settings: dict[str, Setting] = {}
    if not isinstance(tree, ast.Call):
        return make, settings
    if tree.args:
        settings[known[0] if known else ""] = _first(make, name, tree.args)
    for key, value in _keywords(tree, name).items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise SettingError(f"{name}: no setting is called {key!r}; {hint}{_choice(known)}")
        if key in settings:
            raise SettingError(f"{name}: {key} is given twice")
        settings[key] = value
    return make, settings


def read_call(text: str) -> tuple[str, dict[str, Setting]]:
    """Name and named settings of a text, whatever they name; for the detectors of another library.

    Raises
    ------
    SettingError
        If the text cannot be read.
    """
    tree, name = _tree(text)
    if isinstance(tree, ast.Call) and tree.args:
        raise SettingError(f"{name}: {ast.unparse(tree.args[0])} stands without a name; write setting=value")
    return name, _keywords(tree, name) if isinstance(tree, ast.Call) else {}


def text_of(detector: Detector) -> str:
    """The text that makes an equal, unfitted detector; settings at their usual values are left out.

    Raises
    ------
    SettingError
        If the detector is not a registered one.
    """
    name = DETECTORS.name_of(type(detector))
    parameters = inspect.signature(type(detector)).parameters
    given = {key: value for key, value in detector.settings().items() if value != parameters[key].default}
    parts = []
    for place, (key, value) in enumerate(given.items()):
        if place == 0 and key == next(iter(parameters)) and _holds_texts(type(detector)):
            parts += _bare(value)
        else:
            parts.append(f"{key}={value!r}")
    return f"{name}({', '.join(parts)})" if parts else name


def _tree(text: str) -> tuple[ast.Name | ast.Call, str]:
    """What stands in a text, a name or a call, and the name."""
    if len(text) > LONGEST:
        raise SettingError(f"detector: the text has {len(text)} characters; at most {LONGEST} are read")
    why = ""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = f" ({error.msg if isinstance(error, SyntaxError) else error})"
    else:
        called = tree.func if isinstance(tree, ast.Call) else tree
        if isinstance(tree, ast.Name | ast.Call) and isinstance(called, ast.Name):
            return tree, called.id
    raise SettingError(f"detector {text!r} cannot be read{why}; wanted a name, or name(setting=value, ...)")


def _keywords(tree: ast.Call, name: str) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise SettingError(f"{name}: '**' cannot be read; write setting=value")
        if keyword.arg in found:
            raise SettingError(f"{name}: {keyword.arg} is given twice")
        found[keyword.arg] = _value(keyword.value, f"{name}: {keyword.arg}")
    return found


def _holds_texts(make: type[Detector]) -> bool:
    """Whether the first setting is a text, or several."""
    first = next(iter(inspect.signature(make).parameters.values()), None)
    usual = None if first is None else first.default
    return isinstance(usual, str) or (isinstance(usual, tuple) and all(isinstance(one, str) for one in usual))


def _first(make: type[Detector], name: str, nodes: list[ast.expr]) -> Setting:
    """Values without a name, for the first setting."""
    parameters = inspect.signature(make).parameters
    first = next(iter(parameters.values()), None)
    if first is None or not _holds_texts(make):
        raise SettingError(f"{name}: {ast.unparse(nodes[0])} stands without a name; {_choice(list(parameters))}")
    several = isinstance(first.default, tuple)
    if len(nodes) > 1 and not several:
        raise SettingError(f"{name}: takes one {first.name}, not {len(nodes)}")
    texts = [_value(node, f"{name}: {first.name}") for node in nodes]
    if several and len(texts) == 1 and isinstance(texts[0], tuple):
        return texts[0]
    wrong = [text for text in texts if not isinstance(text, str)]
    if wrong:
        raise SettingError(f"{name}: {first.name} is {wrong[0]!r}; wanted the text of a detector")
    return tuple(str(text) for text in texts) if several else texts[0]


def _value(node: ast.expr, what: str) -> Setting:
    """A literal; or a name or call, which is the text of another detector."""
    if isinstance(node, ast.Name) or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return ast.unparse(node)
    if isinstance(node, ast.List | ast.Tuple):
        found = [_value(one, what) for one in node.elts]
        texts = tuple(one for one in found if isinstance(one, str))
        whole = tuple(one for one in found if isinstance(one, int) and not isinstance(one, bool))
        if len(texts) == len(found):
            return texts
        if len(whole) == len(found):
            return whole
        raise SettingError(f"{what} is {ast.unparse(node)}; wanted whole numbers only, or texts only")
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError) as error:
        raise SettingError(f"{what} is {ast.unparse(node)}; wanted a number, a text in quotes, True or None") from error
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise SettingError(f"{what} is {value!r}; wanted a number, a text in quotes, True, False, None or several in (...)")


def _bare(value: Setting) -> list[str]:
    """Texts of detectors as they stand, without quotes where they read as a name or a call."""
    texts = value if isinstance(value, tuple) else (value,)
    if not texts:
        return ["()"]
    return [str(text) if isinstance(text, str) and _reads(text) else repr(text) for text in texts]


def _reads(text: str) -> bool:
    try:
        _tree(text)
    except SettingError:
        return False
    return True


def _choice(known: list[str]) -> str:
    return f"its settings are: {', '.join(known)}" if known else "it has no settings"
