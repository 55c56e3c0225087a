object $match_utils
  name "Matching Utilities"
  owner $hacker
  parent $root
  flags r

property ordinals r = {"first", "second", "third", "fourth", "fifth"}

set aliases = {"match_utils"}
set description = "Verbs that find out which object a word means."
set help_msg = {
  "  :match(text, objects)     the object of that name or alias, whole or begun;",
  "                            $ambiguous_match if there are several, $failed_match if",
  "                            there is none, and $nothing for no text. A text such as",
  "                            `2.ball' or `second ball' means one of several.",
  "  :match_list(text, objects)  all that it may mean",
  "  :names_of(object)         {name, @aliases}"
}

verb "match" this none this rxd
"match(text, objects) => the object that the text means.";
{text, objects} = args;
found = this:match_list(text, objects);
if (!text)
  return $nothing;
elseif (length(found) == 1)
  return found[1];
elseif (found)
  return $ambiguous_match;
endif
{number, rest} = this:parse_ordinal(text);
found = number ? this:match_list(rest, objects) | {};
return length(found) >= number && found ? found[number] | $failed_match;
.

verb "match_list" this none this rxd
"match_list(text, objects) => those with that name or alias, else those with one that";
"begins so.";
{text, objects} = args;
exact = partial = {};
for what in (objects)
  if (valid(what))
    names = this:names_of(what);
    if (text in names)
      exact = setadd(exact, what);
    else
      for name in (names)
        if (typeof(name) == STR && index(name, text) == 1)
          partial = setadd(partial, what);
        endif
      endfor
    endif
  endif
endfor
return exact || partial;
.

verb "names_of" this none this rxd
"names_of(object) => its name and aliases, whatever its owner has made of them.";
{what} = args;
aliases = `what.aliases ! ANY => {}';
return {what.name, @typeof(aliases) == LIST ? aliases | {}};
.

verb "parse_ordinal" this none this rxd
"parse_ordinal(text) => {2, \"ball\"} for `2.ball' and `second ball', else {0, text}.";
{text} = args;
if (found = match(text, "^%([1-9][0-9]*%)%.%(.+%)$"))
  return {toint(substitute("%1", found)), substitute("%2", found)};
elseif ((at = index(text, " ")) && (number = text[1..at - 1] in this.ordinals))
  return {number, text[at + 1..$]};
endif
return {0, text};
.
