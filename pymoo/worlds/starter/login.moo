// What happens before somebody is a player.
object $login
  name "Login Commands"
  owner $wizard
  parent $root
  flags r

property welcome_message r = {
  "",
  "Welcome!",
  "",
  "This is a small world to talk, to build and to program in.",
  "",
  "  connect guest               look around",
  "  create <name> <password>    make a player of your own",
  "  connect <name> <password>   come back",
  "  who                         who is here now",
  "  quit                        leave",
  ""
}
property commands r = {"connect", "create", "who", "help", "quit"}
property create_enabled r = 1           // false: wizards alone make players, with :create_player
property max_failures r = 3             // wrong passwords before a connection is closed
property failures "" = {}               // {connection, how many} of those that failed
property guest_names r = {"Amber", "Blue", "Coral", "Green", "Ivory", "Plum", "Silver", "White"}
property local_hosts r = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
property reserved_names r = {"me", "here", "guest", "all", "nothing", "nobody", "everybody", "wizard", "hacker"}

set aliases = {"login"}
set description = "What happens before somebody is a player."
set help_msg = {
  "The server passes each line of a connection that is not logged in to",
  "#0:do_login_command, which passes it on to this object. The first word is looked",
  "for in .commands; for `connect', :do_connect is called with the other words."
}

verb "do_login_command" this none this rxd
"do_login_command(@words) => the player to log in, or anything else.";
if (caller != #0)
  raise(E_PERM);
endif
if (!args)
  return this:tell_lines(this.welcome_message);
endif
if (index(argstr, " HTTP/"))
  "A browser, which somebody's page may have made send what follows: `connect wizard'";
  "needs no password on the machine of the server.  In args a backslash could hide it.";
  return boot_player(player);
endif
{word, @rest} = args;
for command in (this.commands)
  if (index(command, word) == 1)
    return this:("do_" + command)(@rest);
  endif
endfor
this:tell_lines({"I don't understand that. You can:", @this.welcome_message[5..$]});
.

verb "tell" this none this rxd
"tell(@text): show a line to the connection that is logging in.";
if (caller == this)
  notify(player, tostr(@args));
endif
.

verb "tell_lines" this none this rxd
"tell_lines(lines): show lines to the connection that is logging in.";
if (caller == this)
  for line in (args[1])
    notify(player, line);
  endfor
endif
.

// --- the commands

verb "do_connect" this none this rxd
"do_connect(name [, password]) => the player, if that is the password.";
if (caller != this)
  raise(E_PERM);
elseif (!args)
  return this:tell("Usage: connect <name> <password>");
endif
{name, ?password = "", @rest} = args;
if (name == "guest")
  return this:find_guest();
endif
who = $string_utils:match_player(name);
if (valid(who) && this:is_password(who, password))
  if (who.password || this:is_local())
    return who;
  endif
  this:tell("That player has no password, and can be used on the machine of the server only.");
  return 0;
endif
this:tell("Either that player does not exist, or has another password.");
this:note_failure();
.

verb "do_create" this none this rxd
"do_create(name, password) => a new player.";
if (caller != this)
  raise(E_PERM);
elseif (!this.create_enabled)
  this:tell("Ask a wizard for a player of your own; meanwhile you can connect as guest.");
elseif (length(args) != 2)
  this:tell("Usage: create <name> <password>");
elseif (problem = this:name_problem(args[1], $nothing) || this:password_problem(args[2]))
  this:tell(problem, ".");
else
  return this:create_player(@args);
endif
.

verb "do_who" this none this rxd
"do_who(): who is connected.";
this:tell_lines($code_utils:who_lines(connected_players()));
.

verb "do_help" this none this rxd
"do_help(): the welcome again.";
this:tell_lines(this.welcome_message);
.

verb "do_quit" this none this rxd
"do_quit(): close the connection.";
if (caller != this)
  raise(E_PERM);
endif
this:tell("Goodbye.");
boot_player(player);
.

// --- players

verb "create_player" this none this rxd
"create_player(name, password) => a new player.  For wizards, and for this object.";
if (caller != this && !caller_perms().wizard)
  raise(E_PERM);
endif
{name, password} = args;
if (problem = this:name_problem(name, $nothing) || this:password_problem(password))
  raise(E_INVARG, problem);
endif
new = this:make_player($player_class, name, {name});
new.password = crypt(password);
return new;
.

verb "make_player" this none this rxd
"make_player(class, name, aliases) => a new player, who owns itself.";
if (caller != this)
  raise(E_PERM);
endif
{class, name, aliases} = args;
new = create(class, $nothing);
new.name = name;
new.aliases = aliases;
set_player_flag(new, 1);
move(new, $limbo);
return new;
.

verb "find_guest" this none this rxd
"find_guest() => a guest who is not connected, made if need be.";
if (caller != this)
  raise(E_PERM);
endif
taken = connected_players();
for guest in (children($guest))
  if (is_player(guest) && !(guest in taken))
    return guest;
  endif
endfor
for colour in (this.guest_names)
  name = colour + "_Guest";
  if (!valid($string_utils:match_player(name)))
    return this:make_player($guest, name, {name, colour});
  endif
endfor
this:tell("All guests are here already. Please try again later, or create a player.");
.

verb "name_problem" this none this rxd $hacker
"name_problem(name, player) => what is wrong with a name for the player, or \"\".";
{name, who} = args;
other = $string_utils:match_player(name, 1);
if (match(name, "[^-a-z0-9_']") || !match(name, "^[a-z]"))
  return "A name begins with a letter, and has letters, digits, - _ and ' in it";
elseif (length(name) > 20)
  return "A name has at most 20 letters";
elseif (other == who && valid(who))
  return "";
elseif (name in this.reserved_names || index(name, "_guest") || other != $failed_match)
  return "That name is taken already";
endif
return "";
.

verb "password_problem" this none this rxd $hacker
"password_problem(password) => what is wrong with it, or \"\".";
return length(args[1]) < 4 ? "A password has four letters at least" | "";
.

verb "is_password" this none this rxd
"is_password(player, text): whether that is the player's password.";
if (caller != this && !caller_perms().wizard)
  raise(E_PERM);
endif
{who, text} = args;
if ($object_utils:isa(who, $guest) || !is_player(who))
  return 0;
endif
password = `who.password ! E_PROPNF => 0';
if (password == "")
  return 1;
endif
return typeof(password) == STR && !strcmp(crypt(text, password), password);
.

verb "is_local" this none this rxd
"is_local(): whether the connection comes from the machine of the server.";
if (caller != this)
  raise(E_PERM);
endif
found = match(connection_name(player), " from %([^,]+%), port ");
return found && substitute("%1", found) in this.local_hosts;
.

verb "note_failure" this none this rxd
"note_failure(): a wrong password; after too many the connection is closed.";
if (caller != this)
  raise(E_PERM);
endif
still = {};
count = 1;
for entry in (this.failures)
  if (entry[1] == player)
    count = entry[2] + 1;
  elseif (entry[1] in connected_players(1))
    still = {@still, entry};
  endif
endfor
if (count >= this.max_failures)
  server_log(tostr(count, " wrong passwords from ", connection_name(player)));
  boot_player(player);
else
  still = {@still, {player, count}};
endif
this.failures = still;
.
