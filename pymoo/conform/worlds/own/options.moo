object $options
  name "Server Options"
  parent $root
  owner $wizard
  flags r

// An option is a property; it is gone again after the case.
verb set this none this rxd
{name, value} = args;
if (name in properties(this))
  this.(name) = value;
else
  add_property(this, name, value, {player, "rw"});
endif
load_server_options();
.
