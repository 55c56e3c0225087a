object $system
  name "System Object"
  parent $root
  owner $wizard
  flags r

property server_options rw = $options
property nothing rw = #-1
property system rw = $system
property sysobj rw = $system
property ambiguous_match rw = #-2
property failed_match rw = #-3
property invalid_object rw = #2147483647
property object rw = $root
property room rw = $room
property root rw = $root

// `connect Wizard', `connect Programmer' and `connect Player' log in as somebody new.
verb do_login_command this none this rxd
if (length(args) != 2 || args[1] != "connect" || !(args[2] in {"wizard", "programmer", "player"}))
  return;
endif
o = create($root);
o.name = args[2];
o.owner = o;
set_player_flag(o, 1);
o.programmer = args[2] != "player";
o.wizard = args[2] == "wizard";
move(o, $room);
return o;
.
