/* The network between processes: what base/bus/socket.h promises, over queues. Each connection keeps order; when it is cut
 * what is on its way is lost, or comes late beside the connection that follows it. */
#ifndef AFTERCARE_SIMULATION_NET_H
#define AFTERCARE_SIMULATION_NET_H

#include "bus/socket.h"
#include "world.h"

/* Ends every socket of a process that is dead. */
void net_forget(struct process *);
/* Connections of a process as a client (NULL: anybody's) are cut, each one way or another: what is on its way is lost; or what
 * it has sent still comes; or nobody is told and nothing comes through. */
void net_cut(const char *client);
/* A client cannot connect before. */
void net_keep_out(const char *client, int64_t until_us);
/* A client's connections to an endpoint stand still that way until then: what is sent comes late, new ones come to nothing. */
void net_stop(const char *client, const char *endpoint, bool to_server, bool to_client, int64_t until_us);
/* Does anybody who is connected to this process have credit with it? */
bool net_has_credit(const struct process *);
/* credit.c */
void credit_hear(int64_t *credit, const char *verb, struct bytes map);
void credit_spend(int64_t *credit, const char *client, const char *verb, struct bytes map);
/* Faults that go on until they are taken back: delays up to so much; so many of 1000 messages of live are lost. */
void net_weather(int64_t delay_us, unsigned live_lost_per_mille);
/* Intake's feed thread stands in a query until then: what the network thread would tell it finds no room. */
void net_feed_behind(int64_t until_us);
bool net_is_readable(const struct bus_socket *);

#endif
