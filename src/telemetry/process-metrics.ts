/** What the process itself takes: processors, memory, the event loop's delay, the collector's pauses. */
import { constants, monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import process from "node:process";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import { Histogram } from "./histogram.ts";
import type { MetricFamily } from "./metric-text.ts";

/** How often the event loop's delay is looked at: a timer, which wakes an idle process so many times a second. */
const LOOK_MS = 50;
const NS_A_SECOND = 1e9;
const PERCENTILES = [50, 90, 99];
const PAUSE_BOUNDS_MS: readonly number[] = [0.5, 1, 2, 3, 5, 10, 25, 50, 100, 250, 1_000];
const COLLECTIONS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weakcb",
};

/** What Node tells of a collection; its types do not say so. */
interface Collection {
  readonly duration: number;
  readonly detail: { readonly kind: number };
}

/** Watches the process from its making on; its closer is `close`. */
export class ProcessMetrics {
  private readonly startedAtSeconds = (performance.timeOrigin + performance.now()) / 1000 - process.uptime();
  private readonly loopDelay = monitorEventLoopDelay({ resolution: LOOK_MS });
  private readonly pauses = new Map<string, Histogram>();
  private readonly observer: PerformanceObserver;

  constructor() {
    this.loopDelay.enable();
    this.observer = new PerformanceObserver((list) => {
      for (const { detail, duration } of list.getEntries() as unknown as Collection[])
        this.pause(detail, duration);
    });
    this.observer.observe({ entryTypes: ["gc"] });
  }

  /** What is told at a scrape; the event loop's delay is that since it was asked for last. */
  families(): MetricFamily[] {
    return [...this.heldFamilies(), ...this.loopDelayFamilies()];
  }

  /** The same without the event loop's delay, for those who look often: they take nothing from a scrape. */
  heldFamilies(): MetricFamily[] {
    const { rss } = process.memoryUsage;
    const { user, system } = process.cpuUsage();
    const heap = getHeapStatistics();
    return [
      one("process_cpu_seconds_total", "counter", "Processor time of the process.", (user + system) / 1e6),
      one("process_resident_memory_bytes", "gauge", "Resident memory of the process.", rss()),
      one(
        "process_start_time_seconds",
        "gauge",
        "When the process began, since 1970.",
        this.startedAtSeconds,
      ),
      one("v8js_memory_heap_limit_bytes", "gauge", "The most that V8's heap may take.", heap.heap_size_limit),
      {
        name: "v8js_memory_heap_used_bytes",
        type: "gauge",
        help: "What lies in V8's heap, by its spaces.",
        samples: getHeapSpaceStatistics().map((space) => [
          { v8js_heap_space_name: space.space_name },
          space.space_used_size,
        ]),
      },
      {
        name: "v8js_gc_duration_seconds",
        type: "histogram",
        help: "Pauses of V8's collector.",
        scale: 1e-3,
        samples: [...this.pauses].map(([kind, pauses]) => [{ v8js_gc_type: kind }, pauses]),
      },
    ];
  }

  close(): void {
    this.loopDelay.disable();
    this.observer.disconnect();
  }

  private pause({ kind }: Collection["detail"], durationMs: number): void {
    const name = COLLECTIONS[kind] ?? "other";
    let pauses = this.pauses.get(name);
    if (pauses === undefined) {
      pauses = new Histogram(PAUSE_BOUNDS_MS);
      this.pauses.set(name, pauses);
    }
    pauses.observe(durationMs);
  }

  private loopDelayFamilies(): MetricFamily[] {
    const { loopDelay } = this;
    const isMeasured = loopDelay.count > 0;
    // What is measured is the time between two looks; what is beyond their distance is delay.
    const delay = (ns: number): number => (isMeasured ? Math.max(0, ns / NS_A_SECOND - LOOK_MS / 1000) : 0);
    const told = (name: string, ns: number): MetricFamily =>
      one(
        `nodejs_eventloop_delay_${name}_seconds`,
        "gauge",
        "How long the event loop was held, since the last scrape.",
        delay(ns),
      );
    const families = PERCENTILES.map((percent) => told(`p${percent}`, loopDelay.percentile(percent)));
    families.push(told("max", loopDelay.max));
    loopDelay.reset();
    return families;
  }
}

function one(name: string, type: "counter" | "gauge", help: string, value: number): MetricFamily {
  return { name, type, help, samples: [[{}, value]] };
}
