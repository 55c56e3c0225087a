object $guest
  name "generic guest"
  owner $wizard
  parent $player
  flags r

set description = "A guest, who is here to look around."
set help_msg = {"Those who `connect guest' get one of the children of this class."}

verb "disfunc" this none this rxd
"disfunc(): a guest leaves nothing behind.";
if (!(caller in {#0, this}))
  raise(E_PERM);
endif
for what in (this.contents)
  `move(what, this.location) ! ANY';
endfor
for name in ({"description", "home", "page_msg"})
  clear_property(this, name);
endfor
this.last_connect_time = 0;
move(this, $limbo);
.

verb "set_name" this none this rxd
"set_name(...): guests keep their names.";
raise(E_PERM, "Guests cannot be renamed");
.

verb "@password" any any any rd
"@password    Guests have none.";
player:tell("Guests have no password.  To stay, @quit and create a player of your own.");
.
