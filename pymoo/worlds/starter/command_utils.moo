object $command_utils
  name "Command Utilities"
  owner $hacker
  parent $root
  flags r

set aliases = {"command_utils"}
set description = "Verbs that commands are made with."
set help_msg = {
  "Matching: each tells the player what is wrong, and returns true, or returns false.",
  "  :object_match_failed(object, text)",
  "  :player_match_failed(object, text)",
  "Asking the player (in commands that a player has typed):",
  "  :read([prompt])          a line, or E_INVARG after @abort",
  "  :read_lines()            lines up to a dot, or E_INVARG after @abort",
  "  :yes_or_no(question)",
  "Long work:",
  "  :suspend_if_needed([seconds])    suspend, if there are few ticks or seconds left",
  "  :running_out_of_time()",
  "Parts of commands:",
  "  :split(text, word)       {what is before the word, what is behind it}, or {}",
  "  :attempt(object, name, @args)   call a verb; tell an error, and return 0",
  "  :do_huh(verb, args)      tell what may be wrong with a command"
}

verb "object_match_failed" this none this rxd
"object_match_failed(object, text): whether the text did not match an object; tells why.";
{what, text} = args;
if (what == $nothing)
  player:tell("You must say which object you mean.");
elseif (what == $ambiguous_match)
  player:tell("I don't know which \"", text, "\" you mean.");
elseif (what == $failed_match)
  player:tell("I see no \"", text, "\" here.");
elseif (!valid(what))
  player:tell(what, " does not exist.");
else
  return 0;
endif
return 1;
.

verb "player_match_failed" this none this rxd
"player_match_failed(object, text): whether the text did not match a player; tells why.";
{what, text} = args;
if (what == $nothing)
  player:tell("You must say which player you mean.");
elseif (what == $ambiguous_match)
  player:tell("More than one player's name begins with \"", text, "\".");
elseif (!valid(what) || !is_player(what))
  player:tell("There is no player called \"", text, "\".");
else
  return 0;
endif
return 1;
.

verb "do_huh" this none this rxd
"do_huh(verb, args): tell what may be wrong with a command that no verb fits.";
{word, words} = args;
usage = {};
for what in ({player, player.location})
  usage = usage || $code_utils:command_usage(what, word);
endfor
if (!usage)
  for what in ({dobj, iobj, $container, $note, $thing})
    usage = usage || $code_utils:command_usage(what, word);
  endfor
  "These want an object that is here; the indirect one is told first, as the other may be any text.";
  if (usage && iobjstr && !valid(iobj))
    return this:object_match_failed(iobj, iobjstr);
  elseif (usage && dobjstr && !valid(dobj))
    return this:object_match_failed(dobj, dobjstr);
  endif
endif
if (usage)
  player:tell("Type it like this: ", $string_utils:english_list(usage, "", "  or  "));
elseif (for_whom = this:class_with_command(word))
  player:tell("That is a command for ", for_whom, "s: see `help ", for_whom, "s'.");
else
  player:tell("I don't understand that.  Type `help' or `commands' to see what you can do.");
endif
.

verb "class_with_command" this none this rxd
"class_with_command(word) => the name of the kind of player that has such a command, or \"\".";
for entry in ({{$builder, "builder"}, {$prog, "programmer"}, {$wiz, "wizard"}})
  {class, name} = entry;
  if ($code_utils:command_usage(class, args[1]))
    return name;
  endif
endfor
return "";
.

verb "read" this none this rxd $wizard
"read([prompt]) => the next line that the player types, or E_INVARG for @abort.";
{?prompt = "[Type a line, or @abort]"} = args;
player:tell(prompt);
line = read();
return line == "@abort" ? E_INVARG | line;
.

verb "read_lines" this none this rxd $wizard
"read_lines() => the lines that the player types up to a dot, or E_INVARG for @abort.";
player:tell("[Type lines, then a dot in a line of its own, or @abort]");
lines = {};
while ((line = read()) != ".")
  if (line == "@abort")
    return E_INVARG;
  endif
  lines = {@lines, line == ".." ? "." | line};
endwhile
return lines;
.

verb "yes_or_no" this none this rxd
"yes_or_no(question): whether the player types yes, or y.";
line = this:read(tostr(args[1], "  [yes or no]"));
return typeof(line) == STR && line && index("yes", $string_utils:trim(line)) == 1;
.

verb "suspend_if_needed" this none this rxd $wizard
"suspend_if_needed([seconds]): suspend the task, if it has few ticks or seconds left.";
set_task_perms(caller_perms());
{?seconds = 0} = args;
if (ticks_left() < 4000 || seconds_left() < 2)
  suspend(seconds);
endif
.

verb "running_out_of_time" this none this rxd
"running_out_of_time(): whether the task has few ticks or seconds left.";
return ticks_left() < 4000 || seconds_left() < 2;
.

verb "split" this none this rxd
"split(text, word) => {what is before the first such word, what is behind it}, or {}.";
{text, word} = args;
separator = tostr(" ", word, " ");
if (at = index(text, separator))
  before = $string_utils:trim(text[1..at - 1]);
  after = $string_utils:trim(text[at + length(separator)..$]);
  return before && after ? {before, after} | {};
endif
return {};
.

verb "attempt" this none this rxd $wizard
"attempt(object, name, @args): call a verb with the caller's permissions; if there is an";
"error tell it to the player, and return 0, else 1.";
set_task_perms(caller_perms());
{what, name, @rest} = args;
try
  what:(name)(@rest);
  return 1;
except e (ANY)
  player:tell(e[2], ".");
  return 0;
endtry
.
