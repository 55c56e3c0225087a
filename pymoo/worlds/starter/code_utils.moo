object $code_utils
  name "Code Utilities"
  owner $hacker
  parent $root
  flags r

property prepositions r = {"with", "using", "at", "to", "in front of", "in", "inside", "into",
  "on top of", "on", "onto", "upon", "out of", "from inside", "from", "over", "through",
  "under", "underneath", "beneath", "behind", "beside", "for", "about", "is", "as", "off",
  "off of", "none", "any"}
property common_prepositions r = {"to", "in", "on", "from"}
property types r = {"INT", "OBJ", "STR", "ERR", "LIST", "any", "any", "any", "any", "FLOAT"}

set aliases = {"code_utils"}
set description = "Verbs that work on verbs and properties."
set help_msg = {
  "  :parse_verbref(text)      {object's name, verb's name} of `ball:bounce', or {}",
  "  :parse_propref(text)      {object's name, property's name} of `ball.colour', or {}",
  "  :find_verbref(text [, inherited])   {object, verb's name}, or {} after telling why",
  "  :may_program(player, object, name)",
  "  :parse_argspec(words)     {{dobj, prep, iobj}, other words}, or a message",
  "  :parse_range(text, last)  {3, 5} of `3..5'",
  "  :commands_of(object)      {names, argspec} of each of its commands",
  "  :usage(names, argspec, this)   how a command is typed",
  "  :verb_documentation(object, name)   the strings at the head of its program",
  "  :function_usage(name)     how a built-in function is called",
  "  :who_lines(players)       who is connected, as a table",
  "  :object_lines(object), :property_lines(object, name), :verb_lines(object, name)"
}

// --- names of verbs and properties

verb "parse_verbref" this none this rxd
"parse_verbref(text) => {object's name, verb's name} of `ball:bounce', or {}.";
{text} = args;
at = index(text, ":");
return at > 1 && at < length(text) ? {text[1..at - 1], $string_utils:unquote(text[at + 1..$])} | {};
.

verb "parse_propref" this none this rxd
"parse_propref(text) => {object's name, property's name} of `ball.colour', or {}.";
{text} = args;
at = rindex(text, ".");
return at > 1 && at < length(text) ? {text[1..at - 1], $string_utils:unquote(text[at + 1..$])} | {};
.

verb "find_verbref" this none this rxd
"find_verbref(text [, inherited]) => {object, verb's name}; {} after telling the player";
"why not.  With a true second argument the verb may be an ancestor's.";
{text, ?inherited = 0} = args;
if (!(spec = this:parse_verbref(text)))
  player:tell("Say which verb you mean as <object>:<verb>.");
  return {};
endif
{name, verbname} = spec;
what = player:my_match_object(name);
if ($command_utils:object_match_failed(what, name))
  return {};
endif
found = $object_utils:has_verb(what, verbname);
if (!found)
  player:tell($string_utils:nn(what), " has no verb \"", verbname, "\".");
  return {};
elseif (found[1] != what && !inherited)
  player:tell("That verb is on ", $string_utils:nn(found[1]), ", not on ", $string_utils:nn(what), " itself.");
  return {};
endif
return {found[1], verbname};
.

verb "may_program" this none this rxd $wizard
"may_program(player, object, name): whether the player may write that verb's program.";
{who, what, name} = args;
return who.programmer && ($perm_utils:controls_verb(who, what, name) || index(verb_info(what, name)[2], "w"));
.

verb "parse_argspec" this none this rxd
"parse_argspec(words) => {{dobj, prep, iobj}, other words}, or what is wrong with them.";
{words} = args;
{direct, prep, indirect} = {"none", "none", "none"};
if (words)
  {direct, @words} = words;
endif
if (words)
  "A preposition may be up to three words.";
  for count in [-min(3, length(words))..-1]
    text = $string_utils:from_list(words[1..-count], " ");
    if (this:is_preposition(text))
      prep = text;
      words = words[1 - count..$];
      break;
    elseif (count == -1)
      return tostr("\"", text, "\" is not a preposition; see `help prepositions'.");
    endif
  endfor
endif
if (words)
  {indirect, @words} = words;
endif
for word in ({direct, indirect})
  if (!(word in {"this", "any", "none"}))
    return tostr("\"", word, "\" should be one of this, any and none.");
  endif
endfor
return {{direct, prep, indirect}, words};
.

verb "is_preposition" this none this rxd
"is_preposition(text): whether it is one, or several, as in `in/inside/into'.";
for part in ($string_utils:explode(args[1], "/"))
  if (!(part in this.prepositions))
    return 0;
  endif
endfor
return 1;
.

verb "parse_range" this none this rxd
"parse_range(text, last) => {3, 5} of `3..5', {3, 3} of `3', and all of anything else.";
{text, last} = args;
if (found = match(text, "^%([0-9]+%)%.%.%([0-9]+%)$"))
  return {max(1, toint(substitute("%1", found))), min(last, toint(substitute("%2", found)))};
elseif ($string_utils:is_numeric(text) && toint(text) in $list_utils:range(1, last))
  return {toint(text), toint(text)};
endif
return {1, last};
.

// --- how things are used

verb "usage" this none this rxd
"usage(names, argspec, this) => how a command is typed.";
{names, spec, name} = args;
{direct, prep, indirect} = spec;
text = this:first_name(names);
if (spec == {"any", "any", "any"})
  return text + " ...";
endif
for word in ({direct, prep, indirect})
  if (word == "this")
    text = tostr(text, " ", name);
  elseif (word == "any")
    text = text + " ...";
  elseif (word != "none")
    text = tostr(text, " ", this:common_preposition(word));
  endif
endfor
return text;
.

verb "first_name" this none this rxd
"first_name(names) => the first of a verb's names, without its star.";
return strsub($string_utils:explode(args[1])[1], "*", "");
.

verb "common_preposition" this none this rxd
"common_preposition(text) => the one to show of `in/inside/into'.";
words = $string_utils:explode(args[1], "/");
for word in (this.common_prepositions)
  if (word in words)
    return word;
  endif
endfor
return words[1];
.

verb "command_usage" this none this rxd $wizard
"command_usage(object, word) => how commands of that name are typed, as a list.";
{what, word} = args;
lines = {};
name = what in {$container, $note, $thing} ? "<thing>" | (valid(what) ? what.name | "");
while (found = $object_utils:has_verb(what, word))
  {what} = found;
  {owner, perms, names} = verb_info(what, word);
  spec = verb_args(what, word);
  if (index(perms, "r") && spec != {"this", "none", "this"})
    lines = setadd(lines, this:usage(names, spec, name));
  endif
  what = parent(what);
endwhile
return lines;
.

verb "commands_of" this none this rxd $wizard
"commands_of(object) => {names, argspec} for each of its own verbs that is a command, and";
"readable.  Only the object itself need not be, as commands are there to be typed.";
{what} = args;
found = {};
for number in [1..length(verbs(what))]
  {owner, perms, names} = verb_info(what, number);
  spec = verb_args(what, number);
  if (index(perms, "r") && spec != {"this", "none", "this"})
    found = {@found, {names, spec}};
  endif
endfor
return found;
.

verb "verb_documentation" this none this rxd $wizard
"verb_documentation(object, name) => the strings at the head of the verb's program.";
set_task_perms(caller_perms());
{what, name} = args;
lines = {};
for line in (verb_code(what, name))
  if (!match(line, "^\".*\";$"))
    return lines;
  endif
  lines = {@lines, $string_utils:unescape(line[2..$ - 2])};
endfor
return lines;
.

verb "function_usage" this none this rxd
"function_usage(name) => how a built-in function is called, or \"\" if there is none.";
info = `function_info(args[1]) ! E_INVARG';
if (info == E_INVARG)
  return "";
endif
{name, least, most, types} = info;
words = {};
for number in [1..length(types)]
  type = types[number];
  word = type < 0 ? type == -2 ? "INT or FLOAT" | "any" | this.types[type + 1];
  words = {@words, number > least ? tostr("[", word, "]") | word};
endfor
return tostr(name, "(", $string_utils:from_list(words, ", "), most < 0 ? words ? ", ..." | "..." | "", ")");
.

// --- tables

verb "who_lines" this none this rxd
"who_lines(players) => who is connected, since when, and where, as lines of a table.";
"Of many players it has the first hundred.";
{whom} = args;
lines = {"Name                  Connected  Idle   Place"};
for who in (whom[1..min(100, $)])
  $command_utils:suspend_if_needed(0);
  if (!valid(who))
    continue;
  endif
  name = $string_utils:left(who.name, 21);
  try
    since = $string_utils:left($time_utils:short_time(connected_seconds(who)), 10);
    idle = $string_utils:left($time_utils:short_time(idle_seconds(who)), 6);
    place = `who.location:title() ! ANY => "nowhere"';
    lines = {@lines, tostr(name, " ", since, " ", idle, " ", place)};
  except (E_INVARG)
    since = `who.last_connect_time ! ANY => 0';
    lines = {@lines, tostr(name, " ", since ? "last here " + ctime(since) | "not connected")};
  endtry
endfor
if (length(lines) == 1)
  return {"Nobody is connected."};
elseif (length(whom) > 100)
  lines = {@lines, tostr("... and ", length(whom) - 100, " more")};
endif
return {@lines, $string_utils:count(length(whom), "player") + "."};
.

verb "object_lines" this none this rxd $wizard
"object_lines(object) => what there is to know of it, its verbs and its properties.";
set_task_perms(caller_perms());
{what} = args;
flags = {};
for flag in ({"wizard", "programmer", "r", "w", "f"})
  flags = what.(flag) ? {@flags, flag} | flags;
endfor
lines = {tostr("Object:    ", $string_utils:nn(what), is_player(what) ? ", a player" | "")};
lines = {@lines, tostr("Aliases:   ", toliteral(what.aliases))};
lines = {@lines, tostr("Owner:     ", $string_utils:nn(what.owner))};
lines = {@lines, tostr("Parent:    ", $string_utils:nn(parent(what)))};
lines = {@lines, tostr("Location:  ", $string_utils:nn(what.location))};
lines = {@lines, tostr("Flags:     ", $string_utils:from_list(flags || {"none"}, " "))};
lines = {@lines, tostr("Children:  ", length(children(what)), "   Contents:  ", length(what.contents))};
return {@lines, @this:verb_table(what), @this:property_table(what)};
.

verb "verb_table" this none this rxd $wizard
"verb_table(object) => a line for each of the verbs that it defines.";
set_task_perms(caller_perms());
{what} = args;
lines = {};
for number in [1..length(`verbs(what) ! E_PERM => {}')]
  try
    {owner, perms, names} = verb_info(what, number);
    spec = $string_utils:from_list(verb_args(what, number), " ");
    names = $string_utils:left(toliteral(names), 24);
    spec = $string_utils:left(spec, 30);
    perms = $string_utils:left(perms, 4);
    lines = {@lines, tostr("  :", names, " ", spec, " ", perms, " ", $string_utils:nn(owner))};
  except (E_PERM)
    lines = {@lines, "  :(not readable)"};
  endtry
  $command_utils:suspend_if_needed(0);
endfor
return lines;
.

verb "property_table" this none this rxd $wizard
"property_table(object) => a line for each property that it defines, or has a value of";
"its own for.";
set_task_perms(caller_perms());
{what} = args;
lines = {};
for above in ({what, @$object_utils:ancestors(what)})
  for name in (`properties(above) ! E_PERM => {}')
    if (above == what || !`is_clear_property(what, name) ! E_PERM => 1')
      value = `toliteral(what.(name)) ! E_PERM => "(not readable)"';
      value = length(value) > 50 ? value[1..47] + "..." | value;
      lines = {@lines, tostr("  .", $string_utils:left(name, 24), " ", value)};
    endif
    $command_utils:suspend_if_needed(0);
  endfor
endfor
return lines;
.

verb "property_lines" this none this rxd $wizard
"property_lines(object, name) => what there is to know of the property.";
set_task_perms(caller_perms());
{what, name} = args;
value = what.(name);
try
  {owner, perms} = property_info(what, name);
  more = {tostr("Owner:     ", $string_utils:nn(owner)), tostr("Perms:     ", perms || "none")};
  if (is_clear_property(what, name))
    more = {@more, "The value is that of the parent."};
  endif
except (E_PROPNF)
  more = {"It is a built-in property."};
endtry
return {tostr("Property:  ", $string_utils:nn(what), ".", name), tostr("Value:     ", toliteral(value)), @more};
.

verb "verb_lines" this none this rxd $wizard
"verb_lines(object, name) => what there is to know of the verb, but for its program.";
set_task_perms(caller_perms());
{what, name} = args;
found = $object_utils:has_verb(what, name);
if (!found)
  raise(E_VERBNF);
endif
{where} = found;
{owner, perms, names} = verb_info(where, name);
lines = {tostr("Verb:      ", $string_utils:nn(where), ":", toliteral(names))};
lines = {@lines, "Args:      " + $string_utils:from_list(verb_args(where, name), " ")};
lines = {@lines, "Owner:     " + $string_utils:nn(owner)};
lines = {@lines, tostr("Perms:     ", perms || "none")};
return {@lines, @this:verb_documentation(where, name)};
.
