object $options
  name "Server Options"
  parent $root
  owner $wizard
  flags r
