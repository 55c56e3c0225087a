object $thing
  name "generic thing"
  owner $hacker
  parent $root
  flags r f

property take_succeeded_msg rc = "You take %t."
property otake_succeeded_msg rc = "%N takes %t."
property take_failed_msg rc = "You cannot take %t."
property otake_failed_msg rc = ""
property drop_succeeded_msg rc = "You drop %t."
property odrop_succeeded_msg rc = "%N drops %t."
property drop_failed_msg rc = "You cannot drop %t here."
property odrop_failed_msg rc = ""

set help_msg = {
  "A thing can be carried about. To make one, see `help @create'.",
  "",
  "Its messages can be changed with @set, for instance",
  "  @set lamp.otake_succeeded_msg to %N grabs %t with both hands.",
  "where %N is the name of the player and %t that of the thing; the others are",
  "take_succeeded_msg, take_failed_msg, otake_failed_msg, and the same with drop.",
  "`@messages lamp' lists them."
}

verb "title" this none this rxd
"title(): the name with `the', but for names with a capital or an article of their own.";
if (match(this.name, "^[A-Z]", 1) || match(this.name, "^%(a%|an%|the%|some%|my%) "))
  return this.name;
endif
return "the " + this.name;
.

verb "take_succeeded_msg otake_succeeded_msg take_failed_msg otake_failed_msg drop_succeeded_msg odrop_succeeded_msg drop_failed_msg odrop_failed_msg" this none this rxd
"take_succeeded_msg() and so on: the message of that name, ready to be told.";
return $string_utils:pronoun_sub(this.(verb));
.

verb "g*et t*ake" this none none rd
"get <thing>    take <thing>";
if (this.location == player)
  player:tell("You have ", this:title(), " already.");
elseif (this.location != player.location)
  player:tell("You cannot reach ", this:title(), " from here.");
else
  this:moveto_and_tell(player, "take");
endif
.

verb "d*rop th*row" this none none rd
"drop <thing>    throw <thing>";
if (this.location != player)
  player:tell("You do not have ", this:title(), ".");
else
  this:moveto_and_tell(player.location, "drop");
endif
.

verb "gi*ve ha*nd" this at any rd
"give <thing> to <player>    hand <thing> to <player>";
if (this.location != player)
  player:tell("You do not have ", this:title(), ".");
elseif ($command_utils:object_match_failed(iobj, iobjstr))
  return;
elseif (iobj.location != player.location || iobj == player)
  player:tell("You can give things to those who are with you.");
elseif (!is_player(iobj) || !this:try_moveto(iobj))
  player:tell(iobj:titlec(), " does not take ", this:title(), ".");
else
  player:tell("You give ", this:title(), " to ", iobj:title(), ".");
  iobj:tell(player:titlec(), " gives you ", this:title(), ".");
  player.location:announce_all_but({player, iobj}, player:titlec(), " gives ", this:title(), " to ", iobj:title(), ".");
endif
.

verb "moveto_and_tell" this none this rxd
"moveto_and_tell(place, \"take\" or \"drop\"): move there, and tell what has happened.";
if (caller != this)
  raise(E_PERM);
endif
{place, what} = args;
message = what + (this:try_moveto(place) ? "_succeeded_msg" | "_failed_msg");
if (text = this:(message)())
  player:tell(text);
endif
if (text = this:("o" + message)())
  player.location:announce(text);
endif
.

verb "try_moveto" this none this rxd
"try_moveto(place): move there; the value tells whether that has worked.";
if (caller != this && !$perm_utils:controls(caller_perms(), this))
  raise(E_PERM);
endif
{place} = args;
`this:moveto(place) ! E_NACC, E_PERM, E_RECMOVE, E_INVARG';
return this.location == place;
.
