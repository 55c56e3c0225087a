object $exit
  name "generic exit"
  owner $hacker
  parent $root
  flags r f

property source rc = #-1
property dest rc = #-1
property hidden rc = 0              // true: not among the exits that are listed
property leave_msg rc = ""          // told to who goes ...
property oleave_msg rc = "%N goes %t."    // ... and to those left behind
property arrive_msg rc = ""
property oarrive_msg rc = "%N arrives."
property nogo_msg rc = "You cannot go that way."
property onogo_msg rc = ""

set help_msg = {
  "An exit leads from one room to another. To make some, see `help @dig'.",
  "",
  "Each of its messages can be changed with @set; empty ones are not shown:",
  "  leave_msg, arrive_msg, nogo_msg       what those see who go, or cannot",
  "  oleave_msg, oarrive_msg, onogo_msg    what the others see",
  "In them %N is the name of who goes and %t that of the exit; `@messages' lists them.",
  "",
  "  :invoke()        the player wants to go this way",
  "  :move(object)    take an object through"
}

verb "leave_msg oleave_msg arrive_msg oarrive_msg nogo_msg onogo_msg" this none this rxd
"leave_msg() and so on: the message of that name, ready to be told.";
return $string_utils:pronoun_sub(this.(verb));
.

verb "look_self" this none this rxd
"look_self(): a description, or where the exit leads.";
if (this:description() || !valid(this.dest))
  pass();
else
  player:tell("That way leads to ", this.dest:title(), ".");
endif
.

verb "invoke" this none this rxd $wizard
"invoke(): the player goes this way.";
this:move(player);
.

verb "move" this none this rxd $wizard
"move(object): take an object through the exit.  It must stand before it, and be the";
"player's own body, the caller's property, or moved by the exit's own :invoke().";
{what} = args;
if (what != player && !$perm_utils:controls(caller_perms(), what))
  raise(E_PERM);
endif
{source, dest} = {this.source, this.dest};
if (what.location != source)
  player:tell("That exit is not here.");
elseif (!valid(dest))
  player:tell("That way leads nowhere any more.");
elseif (!dest:acceptable(what))
  this:tell_all(what, source, "nogo_msg");
else
  this:tell_all(what, source, "leave_msg");
  what:moveto(dest);
  if (what.location == dest)
    this:tell_all(what, dest, "arrive_msg");
  endif
endif
.

verb "tell_all" this none this rxd
"tell_all(object, room, message): tell the message, and that with an o to the others.";
{what, room, message} = args;
if (text = this:(message)())
  what:tell(text);
endif
if (valid(room) && (text = this:("o" + message)()))
  room:announce_all_but({what}, text);
endif
.

verb "recycle" this none this rxd $wizard
"recycle(): the server is about to destroy the exit; its room forgets it.";
if (caller == this || $perm_utils:controls(caller_perms(), this) && valid(this.source))
  this.source:remove_exit(this);
endif
.
