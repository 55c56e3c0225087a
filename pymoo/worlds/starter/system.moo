// The server calls the verbs of this object, and the properties of this object are
// what programs write as $name.
object $system
  name "The System Object"
  owner $wizard
  parent $root
  flags r

property nothing r = #-1
property ambiguous_match r = #-2
property failed_match r = #-3

property system r = $system
property root r = $root
property room r = $room
property exit r = $exit
property thing r = $thing
property container r = $container
property note r = $note
property player r = $player
property builder r = $builder
property prog r = $prog
property wiz r = $wiz
property guest r = $guest
property hacker r = $hacker
property toy r = $toy

property server_options r = $server_options
property login r = $login
property limbo r = $limbo
property help r = $help
property string_utils r = $string_utils
property list_utils r = $list_utils
property object_utils r = $object_utils
property match_utils r = $match_utils
property command_utils r = $command_utils
property code_utils r = $code_utils
property perm_utils r = $perm_utils
property time_utils r = $time_utils
property building_utils r = $building_utils

property player_start r = $porch        // where those go who have no other home
property player_class r = $builder      // what `create' makes
property dump_interval r = 3600         // seconds from one checkpoint to the next

set description = "The server calls its verbs, and its properties are the names with a dollar sign."
set help_msg = {
  "#0, the system object. Programs write its properties with a dollar sign: $room is",
  "the same as #0.room. The server calls its verbs when something happens: somebody",
  "types a line at the login prompt, connects or leaves, or the server starts."
}

verb "do_login_command" this none this rxd
"do_login_command(@words): the server has a line of a connection that is not logged in.";
"The value is the player to log in, or anything else to wait for the next line.";
if (callers())
  raise(E_PERM);
endif
return $login:do_login_command(@args);
.

verb "user_created user_connected" this none this rxd
"user_connected(player): the server has logged a player in; user_created for a new one.";
if (!callers())
  {user} = args;
  try
    user:confunc();
  finally
    if (valid(user.location))
      user.location:confunc(user);
    endif
  endtry
endif
.

verb "user_reconnected" this none this rxd
"user_reconnected(player): the server has moved a player to a new connection.";
if (!callers())
  {user} = args;
  if (valid(user.location))
    user.location:look_self();
  endif
endif
.

verb "user_disconnected user_client_disconnected" this none this rxd
"user_disconnected(player): the server has closed a connection, or the client has.";
"Those who never logged in have negative numbers.";
if (!callers())
  {user} = args;
  if (valid(user) && is_player(user))
    where = user.location;
    try
      user:disfunc();
    finally
      if (valid(where))
        where:disfunc(user);
      endif
    endtry
  endif
endif
.

verb "server_started" this none this rxd
"server_started(): the server has loaded the database and begins to work.  Those who were";
"connected when it ended are put to bed.";
if (!callers())
  for who in (players())
    if (who.location != $limbo && !(who in connected_players()))
      `who:disfunc() ! ANY';
    endif
    $command_utils:suspend_if_needed(0);
  endfor
  server_log(tostr("This world has ", length(players()), " players and ", max_object(), " as its last object."));
endif
.

verb "checkpoint_started" this none this rxd
"checkpoint_started(): the server is about to write the database.";
if (!callers())
  for wizard in (connected_players())
    if (wizard.wizard)
      wizard:tell("The database is being written ...");
    endif
  endfor
endif
.

verb "checkpoint_finished" this none this rxd
"checkpoint_finished(success): the server has written the database, or could not.";
if (!callers())
  {success} = args;
  for wizard in (connected_players())
    if (wizard.wizard)
      wizard:tell(success ? "... the database is written." | "... WRITING THE DATABASE FAILED: see the server's log.");
    endif
  endfor
endif
.
