object $marble
  name "glass marble"
  owner $hacker
  parent $thing
  location $box
  flags r

set aliases = {"marble"}
set description = "A green marble with a twist of white in it."
set drop_succeeded_msg = "You drop the marble. It rolls away a little."
set odrop_succeeded_msg = "%N drops a marble, which rolls away a little."
