object $container
  name "generic container"
  owner $hacker
  parent $thing
  flags r f

// Not with the c bit: it stays Hacker's on all containers, whoever owns them, so
// that the verbs below can write it.
property opened r = 1

set help_msg = {
  "A container is a thing that holds other things, while it is open:",
  "  put <thing> in <container>    get <thing> from <container>    look in <container>",
  "  open <container>              close <container>"
}

verb "p*ut in*sert" any in this rd
"put <thing> in <container>";
what = player:my_match_object(dobjstr);
if (!this:is_at_hand() || $command_utils:object_match_failed(what, dobjstr))
  return;
elseif (what.location != player)
  player:tell("You do not have ", what:title(), ".");
elseif (!$object_utils:isa(what, $thing) || what == this || !this:put_inside(what))
  player:tell("You cannot put ", what:title(), " in ", this:title(), ".");
else
  player:tell("You put ", what:title(), " in ", this:title(), ".");
  player.location:announce(player:titlec(), " puts ", what:title(), " in ", this:title(), ".");
endif
.

verb "g*et t*ake re*move" any from this rd
"get <thing> from <container>";
if (!this:is_at_hand())
  return;
endif
what = $match_utils:match(dobjstr, this.contents);
if (what == $failed_match)
  player:tell("There is no \"", dobjstr, "\" in ", this:title(), ".");
elseif ($command_utils:object_match_failed(what, dobjstr))
  return;
elseif (!this:take_out(what))
  player:tell("You cannot take ", what:title(), " from ", this:title(), ".");
else
  player:tell("You take ", what:title(), " from ", this:title(), ".");
  player.location:announce(player:titlec(), " takes ", what:title(), " from ", this:title(), ".");
endif
.

verb "o*pen" this none none rd
"open <container>";
this:set_opened(1);
.

verb "cl*ose sh*ut" this none none rd
"close <container>";
this:set_opened(0);
.

verb "set_opened" this none this rxd
"set_opened(value): open or close the container for the player, and tell it.";
if (caller != this && !$perm_utils:controls(caller_perms(), this))
  raise(E_PERM);
endif
{opened} = args;
word = opened ? "open" | "close";
if (!(this.location in {player, player.location}))
  player:tell("You cannot reach ", this:title(), " from here.");
elseif (this.opened == opened)
  player:tell(this:titlec(), opened ? " is open" | " is closed", " already.");
else
  this.opened = opened;
  player:tell("You ", word, " ", this:title(), ".");
  player.location:announce(player:titlec(), " ", word, "s ", this:title(), ".");
endif
.

verb "is_at_hand" this none this rxd
"is_at_hand(): whether the player can reach into the container; if not, tell why.";
if (!(this.location in {player, player.location}))
  player:tell("You cannot reach ", this:title(), " from here.");
elseif (!this.opened)
  player:tell(this:titlec(), " is closed.");
else
  return 1;
endif
return 0;
.

verb "put_inside" this none this rxd $wizard
"put_inside(thing): move what the player carries in here.";
{what} = args;
if (caller != this || what.location != player)
  raise(E_PERM);
endif
return what:try_moveto(this);
.

verb "take_out" this none this rxd $wizard
"take_out(thing): move what is in here to the player.";
{what} = args;
if (caller != this || what.location != this)
  raise(E_PERM);
endif
return what:try_moveto(player);
.

verb "acceptable" this none this rxd
"acceptable(object): things, while the container is open.";
{what} = args;
return this.opened && $object_utils:isa(what, $thing) && what != this;
.

verb "look_self" this none this rxd
"look_self(): the description, and what is inside.";
pass();
this:look_inside();
.

verb "look_inside" this none this rxd
"look_inside(): tell the player what is in the container.";
if (!this.opened)
  player:tell("It is closed.");
elseif (this.contents)
  player:tell("In it you see ", $string_utils:title_list(this.contents), ".");
else
  player:tell("It is empty.");
endif
.

verb "recycle" this none this rxd $wizard
"recycle(): the server is about to destroy the container; what is in it falls out.";
if (caller == this || $perm_utils:controls(caller_perms(), this))
  for what in (this.contents)
    what:try_moveto(this.location);
  endfor
endif
.
