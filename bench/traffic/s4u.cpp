/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SimGrid's S4U in a ring all-reduce: an actor a rank, which in each step puts its messages into its
 * neighbour's mailbox, gets its own, and waits for its puts. Messages only: nothing is reduced, no trace.
 *
 *   bench-peer-s4u TRAFFIC RANKS BYTES-A-STEP MESSAGES-A-STEP routes|wire [--cfg=...]
 *
 * The platform is made by calls, which is quicker than XML: `routes`, the links and routes of the file (see
 * shapes.h), route r leading from host r to the next; `wire`, one link between two neighbours. Prints the
 * simulated time in seconds.
 */
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <simgrid/s4u.hpp>
#include <sstream>
#include <string>
#include <vector>

namespace s4u = simgrid::s4u;

using Platform = std::vector<std::vector<s4u::LinkInRoute>>;

static Platform read_routes(s4u::NetZone *zone, const char *path) {
    std::ifstream from(path);
    std::size_t flit_bytes, packet_bytes, link_count, route_count, message_count;
    from >> flit_bytes >> packet_bytes >> link_count >> route_count >> message_count;
    std::vector<s4u::Link *> links;
    for (std::size_t i = 0; i < link_count; i++) {
        double bytes_per_s, flit_ps, latency_ps;
        from >> bytes_per_s >> flit_ps >> latency_ps;
        links.push_back(zone->create_link("link" + std::to_string(i), bytes_per_s)->set_latency(latency_ps * 1e-12)->seal());
    }
    Platform routes(route_count);
    std::string line;
    std::getline(from, line);
    for (auto &route : routes) {
        std::getline(from, line);
        std::istringstream words(line);
        for (std::size_t link; words >> link;)
            route.emplace_back(links[link]);
    }
    return routes;
}

static Platform make_wires(s4u::NetZone *zone, int ranks) {
    Platform routes(ranks);
    for (int i = 0; i < ranks; i++)
        routes[i].emplace_back(zone->create_link("link" + std::to_string(i), 128e9)->set_latency(40e-9)->seal());
    return routes;
}

int main(int argc, char **argv) {
    s4u::Engine engine(&argc, argv);
    if (argc != 6)
        return 2;
    const int ranks = std::atoi(argv[2]), messages = std::atoi(argv[4]);
    const double bytes = std::atof(argv[3]);
    auto *zone = s4u::create_full_zone("ring");
    std::vector<s4u::Host *> hosts;
    for (int i = 0; i < ranks; i++)
        hosts.push_back(zone->create_host("host" + std::to_string(i), 1e9)->seal());
    const Platform routes = argv[5][0] == 'r' ? read_routes(zone, argv[1]) : make_wires(zone, ranks);
    for (int i = 0; i < ranks; i++)
        zone->add_route(hosts[i]->get_netpoint(), hosts[(i + 1) % ranks]->get_netpoint(), nullptr, nullptr, routes[i],
                        false);
    zone->seal();
    std::vector<s4u::Mailbox *> boxes;
    for (int i = 0; i < ranks; i++)
        boxes.push_back(s4u::Mailbox::by_name(std::to_string(i)));
    static int payload;
    for (int rank = 0; rank < ranks; rank++)
        s4u::Actor::create("rank" + std::to_string(rank), hosts[rank], [=, &boxes] {
            for (int step = 0; step < 2 * (ranks - 1); step++)
                for (int i = 0; i < messages; i++) {
                    auto put = boxes[(rank + 1) % ranks]->put_async(&payload, static_cast<uint64_t>(bytes / messages));
                    boxes[rank]->get<int>();
                    put->wait();
                }
        });
    engine.run();
    std::printf("%.9f\n", s4u::Engine::get_clock());
}
