/* The state changes of ten network nodes in C: a heap of timers, exponential times, detection by
   missed heartbeats, and counts of the routers that are bound to nodes that are up.

   cc -O2 two_state.c -lm -o two_state && ./two_state YEARS SEED

   Prints as JSON the CPU seconds, failures and repairs, and the availability of a node. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NODES = 10, ROUTERS = 1000, FAIL = 0, DETECT = 1, REPAIR = 2 };
static const double MTTF = 1000 * 3600.0, MTTR = 3600.0, YEAR = 8760 * 3600.0; /* s */
static const double INTERVAL = 4.0, LIMIT = 5.0; /* of heartbeats, s */

typedef struct { double time; int node, what; } Timer;
static Timer heap[4 * NODES];
static int size;
static uint64_t state;

static double uniform(void) { /* splitmix64 */
    uint64_t z = (state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static double exponential(double mean) { return -mean * log(uniform()); }

static void push(double time, int node, int what) {
    int i = size++;
    for (; i && heap[(i - 1) / 2].time > time; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
    heap[i] = (Timer){time, node, what};
}

static Timer pop(void) {
    Timer first = heap[0], last = heap[--size];
    int i = 0, child;
    for (; (child = 2 * i + 1) < size; i = child) {
        if (child + 1 < size && heap[child + 1].time < heap[child].time) child++;
        if (heap[child].time >= last.time) break;
        heap[i] = heap[child];
    }
    heap[i] = last;
    return first;
}

int main(int argc, char **argv) {
    int years = argc > 1 ? atoi(argv[1]) : 1000;
    state = argc > 2 ? strtoull(argv[2], 0, 10) : 1;
    double down = 0, lost = 0;
    long cycles = 0, changes = 0, detections = 0;
    clock_t begin = clock();
    for (int year = 0; year < years; year++) {
        int up[NODES], alive[NODES], bound[NODES] = {0}, unserved = 0;
        double since[NODES], phase[NODES], last = 0;
        size = 0;
        for (int r = 0; r < ROUTERS; r++) bound[(int)(uniform() * NODES)]++;
        for (int n = 0; n < NODES; n++) {
            up[n] = alive[n] = 1, since[n] = 0, phase[n] = uniform() * INTERVAL;
            push(exponential(MTTF), n, FAIL);
        }
        while (size && heap[0].time < YEAR) {
            Timer t = pop();
            int n = t.node;
            lost += unserved * (t.time - last), last = t.time, changes++;
            if (t.what == FAIL) {
                double heard = t.time - fmod(t.time - phase[n], INTERVAL);
                up[n] = 0, since[n] = t.time, unserved += bound[n];
                double repaired = t.time + exponential(MTTR);
                push(repaired, n, REPAIR);
                if (heard + LIMIT < repaired) push(heard + LIMIT, n, DETECT);
            } else if (t.what == DETECT) {
                alive[n] = 0, detections++;
            } else {
                up[n] = alive[n] = 1, unserved -= bound[n], cycles++;
                down += t.time - since[n], phase[n] = t.time;
                push(t.time + exponential(MTTF), n, FAIL);
            }
        }
        lost += unserved * (YEAR - last);
        for (int n = 0; n < NODES; n++) down += up[n] ? 0 : YEAR - since[n];
    }
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    printf("{\"seconds\": %.6f, \"cycles\": %ld, \"changes\": %ld, \"detections\": %ld, "
           "\"availability\": %.9f, \"routers\": %.9f}\n",
           seconds, cycles, changes, detections, 1 - down / (NODES * YEAR * years),
           1 - lost / (ROUTERS * YEAR * years));
    return 0;
}
