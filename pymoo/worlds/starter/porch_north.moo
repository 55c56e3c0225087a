object $porch_north
  name "north"
  owner $hacker
  parent $exit
  flags r

set aliases = {"north", "n"}
set source = $porch
set dest = $hall
