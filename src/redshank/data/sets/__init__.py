"""Public data sets, one file a family: each knows its folder, its columns and where the original is published."""
