object $hall_north
  name "north"
  owner $hacker
  parent $exit
  flags r

set aliases = {"north", "n"}
set source = $hall
set dest = $workshop
