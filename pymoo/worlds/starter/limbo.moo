object $limbo
  name "Limbo"
  owner $wizard
  parent $room
  flags r

set description = "Those who are not connected sleep here."

verb "acceptable" this none this rxd
"acceptable(object): players, while they are not connected.";
{what} = args;
return is_player(what) && !(what in connected_players());
.

verb "confunc disfunc" this none this rxd
"disfunc(player): nobody here is awake to be told.";
.
