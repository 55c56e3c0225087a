object $time_utils
  name "Time Utilities"
  owner $hacker
  parent $root
  flags r

property units r = {{86400, "day", "d"}, {3600, "hour", "h"}, {60, "minute", "m"}, {1, "second", "s"}}

set aliases = {"time_utils"}
set description = "Verbs that put times into words."
set help_msg = {
  "  :english_time(seconds)    \"2 hours and 5 minutes\": the two largest units",
  "  :short_time(seconds)      \"2h\", \"5m\" or \"30s\": the largest unit"
}

verb "english_time" this none this rxd
"english_time(seconds) => a length of time in words, by its two largest units.";
{rest} = args;
parts = {};
for unit in (this.units)
  {size, name, letter} = unit;
  count = rest / size;
  rest = rest % size;
  if (count && length(parts) < 2)
    parts = {@parts, $string_utils:count(count, name)};
  endif
endfor
return $string_utils:english_list(parts, "no time");
.

verb "short_time" this none this rxd
"short_time(seconds) => a length of time by its largest unit: 2h, 5m, 30s.";
{seconds} = args;
for unit in (this.units)
  {size, name, letter} = unit;
  if (seconds >= size)
    return tostr(seconds / size, letter);
  endif
endfor
return "0s";
.
