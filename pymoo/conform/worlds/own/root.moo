object $root
  name "Root Class"
  owner $wizard
  flags r f
