"""Learn the first 30 % of a real recording, judge the rest, draw what was found: the picture of the README.

Run ``python examples/machine_temperature.py docs/machine-temperature.svg``; needs the Numenta benchmark under
``REDSHANK_DATA`` (see the README, "Data").
"""

import sys
from pathlib import Path

from redshank import Pipeline, load
from redshank.data import split_time
from redshank.evaluate.pages.figures import series_figure

data = load("nab/realKnownCause/machine_temperature_system_failure")
first, rest = split_time(data.frame, 0.3)
normal, watched = data.frame.take(first), data.frame.take(rest)
pipeline = Pipeline(budget="1 per device per week").fit(normal)
analysis = pipeline.analyse(watched, history=normal)
for incident in analysis.incidents:
    print(incident.sentence)
figure = Path(sys.argv[1] if len(sys.argv) > 1 else "machine-temperature.svg")
figure.write_text(series_figure(analysis, analysis.frame.devices[0], labels=data.labels), encoding="utf-8")
