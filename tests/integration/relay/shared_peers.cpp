// The raw server and the certificates of the HTTP client's tests: the same peers, one source.
// NOLINTBEGIN(bugprone-suspicious-include): tests are built a room each
#include "integration/http/peer_server.cpp"
#include "integration/http/tls_peer.cpp"
// NOLINTEND(bugprone-suspicious-include)
