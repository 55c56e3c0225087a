"""Random and damaged input for everything that reads what strangers send.

Each module here is one target; `running` runs them, ``make fuzz`` all of them for some
time, and `test_samples` a few inputs of each.
"""
