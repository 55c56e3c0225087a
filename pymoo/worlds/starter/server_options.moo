// What the server looks up here is told in its manual.  After a change of a limit
// or of protect_..., evaluate load_server_options().
object $server_options
  name "Server Options"
  owner $wizard
  parent $root
  flags r

property connect_timeout r = 300
property fg_ticks r = 30000
property bg_ticks r = 15000
property fg_seconds r = 5
property bg_seconds r = 3
property max_stack_depth r = 50
property queued_task_limit r = 100

// With 0 connections have addresses and no names.  $login trusts an address of this
// machine, but a name could be claimed by whoever rules the names of an address.
property name_lookup_timeout r = 0

set aliases = {"options"}
set description = "What the server can be told about limits and messages."
