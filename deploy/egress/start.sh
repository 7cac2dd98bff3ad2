#!/bin/busybox sh
# Starts the proxy of one run. Root with NET_ADMIN for a moment: the kernel itself must refuse private destinations,
# whatever a name resolves to by the time squid connects. Then squid runs as its own user, without capabilities.
#   SQUID_CONF    the configuration
#   NAMESERVERS   addresses of resolvers, which stay reachable
#   UNREACHABLE   networks nothing may be sent to
set -eu
ip() { /bin/busybox ip "$@"; }
gateway=$(ip route show default | sed -n 's/.*via \([0-9.]*\).*/\1/p')
for server in $NAMESERVERS; do
  case "$(ip route get "$server")" in *" via "*) ip route add "$server" via "$gateway" ;; esac
done
for network in $UNREACHABLE; do ip route add unreachable "$network"; done
# The gateway passes packets on, but is not to be talked to itself: it is the host.
ip route add unreachable "$gateway/32"
printf '%s\n' "$SQUID_CONF" > /run/squid.conf
chown proxy:proxy /proc/self/fd/1 /proc/self/fd/2
exec /usr/bin/setpriv --reuid=proxy --regid=proxy --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \
  squid -N -f /run/squid.conf
