import { eventsAddress } from "./client";
import type { SlideTiers } from "./tiers";
import type { Arrival } from "./types";

export interface TiersTold {
  readonly id: string;
  readonly file_name: string;
  readonly tiers: SlideTiers;
}

export interface EventHandlers {
  readonly onArrival: (arrival: Arrival) => void;
  readonly onSlide: (id: string) => void;
  /** Something of a case is not as it was. */
  readonly onCase: () => void;
  /** A slide moves between tiers. */
  readonly onTiers: (told: TiersTold) => void;
  /** Connected, for the first time or again: whatever happened meanwhile must be fetched. */
  readonly onConnect: () => void;
  readonly onDisconnect: () => void;
}

const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 20_000;

function parse(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return null;
  }
}

/**
 * Follow the server's events until the returned function is called. The browser reconnects by itself
 * after a cut, but gives up for good when a proxy answers with an error: then a new stream is opened,
 * later and later.
 */
export function followEvents(handlers: EventHandlers): () => void {
  let source: EventSource | null = null;
  let timer: number | undefined;
  let delay = FIRST_DELAY_MS;
  let stopped = false;

  const connect = (): void => {
    const stream = new EventSource(eventsAddress());
    source = stream;
    stream.addEventListener("open", () => {
      delay = FIRST_DELAY_MS;
      handlers.onConnect();
    });
    stream.addEventListener("arrival", (event) => {
      const arrival = parse((event as MessageEvent).data);
      if (arrival && typeof arrival === "object" && "id" in arrival) {
        handlers.onArrival(arrival as Arrival);
      }
    });
    stream.addEventListener("slide", (event) => {
      const slide = parse((event as MessageEvent).data);
      if (slide && typeof slide === "object" && "id" in slide) handlers.onSlide(String(slide.id));
    });
    stream.addEventListener("case", handlers.onCase);
    stream.addEventListener("tiers", (event) => {
      const told = parse((event as MessageEvent).data);
      if (told && typeof told === "object" && "tiers" in told) handlers.onTiers(told as TiersTold);
    });
    // The server lost count of what it told us: as good as a new connection.
    stream.addEventListener("reset", handlers.onConnect);
    stream.addEventListener("error", () => {
      if (stopped) return;
      handlers.onDisconnect();
      if (stream.readyState !== EventSource.CLOSED) return;
      timer = window.setTimeout(connect, delay);
      delay = Math.min(LONGEST_DELAY_MS, delay * 2);
    });
  };

  connect();
  return () => {
    stopped = true;
    window.clearTimeout(timer);
    source?.close();
  };
}
