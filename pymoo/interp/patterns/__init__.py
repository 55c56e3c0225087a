"""MOO's regular expressions: `match()`, `rmatch()` and `substitute()`.

==============  ==============================================================
`charset`       sets of characters
`syntax`        pattern text to tree; what is refused
`program`       tree to program
`machine`       runs programs: the definition of what matches
`memory`        searches that do nothing slow twice
`regex`         tree to Python's `re`, where that is provably the same
`pattern`       chooses between these; the cache
`substitution`  templates of ``substitute()``
==============  ==============================================================
"""

from pymoo.interp.patterns.pattern import Pattern, PatternCache, compile_pattern
from pymoo.interp.patterns.substitution import substitute

__all__ = ["Pattern", "PatternCache", "compile_pattern", "substitute"]
