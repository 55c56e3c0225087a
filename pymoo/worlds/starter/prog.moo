object $prog
  name "generic programmer"
  owner $wizard
  parent $builder
  flags r

set ownership_quota "" $wizard = 100
property eval_ticks rc = 0          // true: `;' tells what the evaluation has cost

set help_msg = {
  "Programmers write verbs: see `help programming'.  A wizard makes a player one with",
  "@programmer."
}

verb "eval" any any any rd
";<expression>    ;;<statements>    Run MOO code, with me and here at hand.";
"What the server tells of an error begins with `#-1:Input to EVAL'.";
if (player != this)
  return player:tell("I don't understand that.");
endif
set_task_perms(player);
code = argstr[1..min(1, $)] == ";" ? argstr[2..$] | "return " + argstr + ";";
"The variables are set where they seem to be used, to leave lines and ticks alone.";
env = match(code, "%<me%>%|%<here%>") ? "{me, here} = {player, player.location};" | "";
"Six ticks lie between the two measurements, and three more are those of env.";
before = ticks_left();
result = eval(env + code);
after = ticks_left();
if (!result[1])
  player:tell_lines(result[2]);
  return;
endif
player:tell("=> ", toliteral(result[2]));
if (player.eval_ticks)
  used = before - after - (env ? 9 | 6);
  player:tell("[", $string_utils:count(used, "tick"), "]");
endif
.

verb "@ticks" any any any rd
"@ticks on    @ticks off    Whether `;' tells what the evaluation has cost.";
if (player == this)
  if (argstr in {"on", "off"})
    player.eval_ticks = argstr == "on";
  endif
  player:tell("Evaluation ", player.eval_ticks ? "tells" | "does not tell", " its ticks.");
endif
.

verb "@program" any any any rd
"@program <object>:<verb>    Type the program of a verb, line by line, then a dot.";
set_task_perms(player);
if (!(found = $code_utils:find_verbref(argstr)))
  return;
endif
{what, name} = found;
if (!$code_utils:may_program(player, what, name))
  return player:tell("You may not program ", $string_utils:nn(what), ":", name, ".");
endif
player:tell("Now programming ", $string_utils:nn(what), ":", verb_info(what, name)[3], ".");
lines = $command_utils:read_lines();
if (typeof(lines) == ERR)
  return player:tell("Given up: the verb is as it was.");
endif
try
  errors = set_verb_code(what, name, lines);
  if (errors)
    player:tell_lines(errors);
    player:tell($string_utils:count(length(errors), "error"), ".  The verb is as it was.");
  else
    player:tell("0 errors.  Verb programmed.");
  endif
except e (ANY)
  player:tell(e[2], ".");
endtry
.

verb "@list" any any any rd
"@list <object>:<verb> [<from>..<to>] [without numbers]    The program of a verb.";
set_task_perms(player);
if (!args)
  return player:tell("Usage: @list <object>:<verb> [<from>..<to>] [without numbers]");
elseif (!(found = $code_utils:find_verbref(args[1], 1)))
  return;
endif
{what, name} = found;
try
  {owner, perms, names} = verb_info(what, name);
  code = verb_code(what, name);
except e (ANY)
  return player:tell(e[2], ".");
endtry
spec = $string_utils:from_list(verb_args(what, name), " ");
player:tell($string_utils:nn(what), ":", toliteral(names), "   ", spec, "   ", perms, "   ", $string_utils:nn(owner));
{from, to} = $code_utils:parse_range(length(args) > 1 ? args[2] | "", length(code));
width = length(tostr(to));
bare = match(argstr, " without n");
for number in [from..to]
  player:tell(bare ? "" | $string_utils:right(number, width) + ":  ", code[number]);
  $command_utils:suspend_if_needed(0);
endfor
if (!code)
  player:tell("(That verb has not been programmed.)");
endif
.

verb "@verb" any any any rd
"@verb <object>:\"<names>\" [<dobj> [<prep> [<iobj> [<perms>]]]]    Add a verb.";
set_task_perms(player);
spec = args && $code_utils:parse_verbref(args[1]);
if (!spec)
  player:tell("Usage: @verb <object>:\"<names>\" [<dobj> [<prep> [<iobj> [<perms>]]]]");
  return player:tell("For instance: @verb ball:\"b*ounce\" this none none");
endif
what = player:my_match_object(spec[1]);
if ($command_utils:object_match_failed(what, spec[1]))
  return;
endif
parsed = $code_utils:parse_argspec(args[2..$]);
if (typeof(parsed) == STR)
  return player:tell(parsed);
endif
{argspec, rest} = parsed;
"A verb for commands is not callable, one for calls is.";
perms = rest ? rest[1] | (argspec == {"this", "none", "this"} ? "rxd" | "rd");
try
  add_verb(what, {player, perms, spec[2]}, argspec);
  names = toliteral(spec[2]);
  words = $string_utils:from_list(argspec, " ");
  player:tell("Verb ", $string_utils:nn(what), ":", names, " added: ", words, " ", perms, ".");
except e (ANY)
  player:tell(e[2], ".");
endtry
.

verb "@rmverb" any none none rd
"@rmverb <object>:<verb>    Remove a verb.";
set_task_perms(player);
if (found = $code_utils:find_verbref(argstr))
  {what, name} = found;
  try
    names = verb_info(what, name)[3];
    delete_verb(what, name);
    player:tell("Verb ", $string_utils:nn(what), ":", toliteral(names), " removed.");
  except e (ANY)
    player:tell(e[2], ".");
  endtry
endif
.

verb "@args" any any any rd
"@args <object>:<verb> [<dobj> [<prep> [<iobj>]]]    Show or set what commands fit.";
set_task_perms(player);
if (!args)
  return player:tell("Usage: @args <object>:<verb> [<dobj> [<prep> [<iobj>]]]");
elseif (!(found = $code_utils:find_verbref(args[1])))
  return;
endif
{what, name} = found;
try
  if (length(args) > 1)
    parsed = $code_utils:parse_argspec(args[2..$]);
    if (typeof(parsed) == STR)
      return player:tell(parsed);
    elseif (parsed[2])
      return player:tell("These words are too many: ", $string_utils:from_list(parsed[2], " "));
    endif
    set_verb_args(what, name, parsed[1]);
  endif
  names = toliteral(verb_info(what, name)[3]);
  words = $string_utils:from_list(verb_args(what, name), " ");
  player:tell($string_utils:nn(what), ":", names, " is ", words, ".");
except e (ANY)
  player:tell(e[2], ".");
endtry
.

verb "@chmod" any any any rd
"@chmod <object>:<verb> <perms>    @chmod <object>.<property> <perms>    @chmod <object> <perms>";
set_task_perms(player);
if (length(args) != 2)
  return player:tell("Usage: @chmod <object>[:<verb> or .<property>] <perms>");
endif
{name, perms} = args;
if (spec = $code_utils:parse_verbref(name))
  kind = "verb";
elseif (spec = $code_utils:parse_propref(name))
  kind = "property";
else
  {spec, kind} = {{name}, "object"};
endif
what = player:my_match_object(spec[1]);
if ($command_utils:object_match_failed(what, spec[1]))
  return;
endif
try
  if (kind == "verb")
    info = verb_info(what, spec[2]);
    set_verb_info(what, spec[2], listset(info, perms, 2));
  elseif (kind == "property")
    info = property_info(what, spec[2]);
    set_property_info(what, spec[2], listset(info, perms, 2));
  elseif (match(perms, "[^rwf]"))
    return player:tell("The permissions of an object are some of rwf.");
  else
    what.r = index(perms, "r") > 0;
    what.w = index(perms, "w") > 0;
    what.f = index(perms, "f") > 0;
  endif
  player:tell("Permissions of ", name, " are now \"", perms, "\".");
except e (ANY)
  player:tell(e[2], ".");
endtry
.

verb "@prop*erty" any any any rd
"@property <object>.<name> [<value> [<perms>]]    Add a property.";
set_task_perms(player);
{word, text} = $string_utils:first_word(argstr) || {"", ""};
spec = $code_utils:parse_propref(word);
if (!spec)
  player:tell("Usage: @property <object>.<name> [<value> [<perms>]]");
  return player:tell("For instance: @property ball.bounces 0 rc");
endif
what = player:my_match_object(spec[1]);
if ($command_utils:object_match_failed(what, spec[1]))
  return;
endif
{rest, value} = text ? $string_utils:prefix_to_value(text) | {"", 0};
if (typeof(rest) == INT)
  return player:tell("That is no value: ", value, ".");
endif
perms = $string_utils:trim(rest) || "rc";
try
  add_property(what, spec[2], value, {player, $string_utils:unquote(perms)});
  player:tell("Property ", $string_utils:nn(what), ".", spec[2], " added with value ", toliteral(value), ".");
except e (ANY)
  player:tell(e[2], ".");
  if (e[1] == E_INVARG)
    player:tell("The name is taken, here or above or below, or the permissions are not some of rwc.");
  endif
endtry
.

verb "@rmprop*erty" any none none rd
"@rmproperty <object>.<name>    Remove a property.";
set_task_perms(player);
if (!(spec = $code_utils:parse_propref(argstr)))
  return player:tell("Usage: @rmproperty <object>.<name>");
endif
what = player:my_match_object(spec[1]);
if (!$command_utils:object_match_failed(what, spec[1]))
  try
    delete_property(what, spec[2]);
    player:tell("Property ", $string_utils:nn(what), ".", spec[2], " removed.");
  except e (ANY)
    player:tell(e[1] == E_PROPNF ? tostr($string_utils:nn(what), " does not define \"", spec[2], "\".") | e[2] + ".");
  endtry
endif
.

verb "@sh*ow @d*isplay" any none none rd
"@show <object>    @show <object>.<property>    @show <object>:<verb>";
set_task_perms(player);
if (!dobjstr)
  return player:tell("Usage: @show <object>[.<property> or :<verb>]");
elseif (spec = $code_utils:parse_verbref(dobjstr))
  kind = "verb_lines";
elseif (spec = $code_utils:parse_propref(dobjstr))
  kind = "property_lines";
else
  {spec, kind} = {{dobjstr}, "object_lines"};
endif
what = player:my_match_object(spec[1]);
if (!$command_utils:object_match_failed(what, spec[1]))
  try
    player:tell_lines($code_utils:(kind)(what, @spec[2..$]));
  except e (ANY)
    player:tell(e[2], ".");
  endtry
endif
.

verb "@tasks" none none none rd
"@tasks    Your tasks that wait for their time.";
set_task_perms(player);
for task in (tasks = queued_tasks())
  {id, start, x, y, owner, where, name, line, what, @rest} = task;
  id = $string_utils:right(id, 12);
  when = $string_utils:left(start < 0 ? "reading input" | ctime(start)[5..24], 20);
  which = what == where ? "" | tostr(" (this == ", what, ")");
  player:tell(id, "  ", when, "  ", where, ":", name, which, ", line ", line);
endfor
player:tell($string_utils:count(length(tasks), "task"), ".");
.

verb "@kill" any none none rd
"@kill <number>    @kill all    End a task of yours.";
set_task_perms(player);
if (!dobjstr)
  return player:tell("Usage: @kill <number>  or  @kill all    for the numbers see @tasks");
endif
ids = {};
for task in (queued_tasks())
  if (task[5] == player && (dobjstr == "all" || tostr(task[1]) == dobjstr))
    ids = {@ids, task[1]};
  endif
endfor
for id in (ids)
  kill_task(id);
endfor
player:tell(ids ? $string_utils:count(length(ids), "task") + " killed." | "You have no such task.");
.
