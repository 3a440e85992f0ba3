import { tileQuery, type Look } from "../core/look";
import type { LightAnswer, LightPart, LightQuestion } from "./lightWorker";

/** `status` is the HTTP status of a refusal, or 0 where there was no answer or no picture. */
export class TileError extends Error {
  constructor(readonly status: number) {
    super(`tile refused with status ${status}`);
  }
}

export type TileAddress = (level: number, column: number, row: number, query: string) => string;

interface Waiting {
  readonly resolve: (picture: ImageBitmap) => void;
  readonly reject: (error: Error) => void;
}

/** Tiles as they are to be seen: in their own colours, or light that a worker tints and adds up. */
export class TileLoader {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;
  private isClosed = false;

  constructor(private readonly address: TileAddress) {}

  /** Where a tile in its own colours is; of light, where its first part is. */
  addressOf(look: Look, level: number, column: number, row: number): string {
    const [first] = look.layers;
    return this.address(level, column, row, first ? tileQuery(look.plane, first) : "");
  }

  /** The stored tile, its padding with it; null is darkness, where no light is wanted. */
  async load(
    look: Look,
    level: number,
    column: number,
    row: number,
    signal: AbortSignal,
  ): Promise<ImageBitmap | null> {
    if (!look.tinted) return fetchPicture(this.addressOf(look, level, column, row), signal);
    if (look.layers.length === 0) return null;
    const parts = look.layers.map((layer): LightPart => {
      const address = this.address(level, column, row, tileQuery(look.plane, layer));
      return { address, colour: layer.colour ?? [255, 255, 255] };
    });
    return this.ask(parts, signal);
  }

  private ask(parts: readonly LightPart[], signal: AbortSignal): Promise<ImageBitmap> {
    const worker = (this.worker ??= this.start());
    const id = (this.asked += 1);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.waiting.delete(id);
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        settle();
        worker.postMessage({ id, abort: true } satisfies LightQuestion);
        reject(new DOMException("no longer wanted", "AbortError"));
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort);
      this.waiting.set(id, {
        resolve: (picture) => {
          settle();
          resolve(picture);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      worker.postMessage({ id, parts } satisfies LightQuestion);
    });
  }

  private start(): Worker {
    const worker = new Worker(new URL("./lightWorker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<LightAnswer>) => {
      const waiting = this.waiting.get(data.id);
      if ("status" in data) waiting?.reject(new TileError(data.status));
      else if (waiting) waiting.resolve(data.picture);
      else data.picture.close();
    };
    worker.onerror = () => {
      // It never came to life, or fell: whoever waits is told, and the next tile starts another.
      this.worker = null;
      worker.terminate();
      for (const { reject } of [...this.waiting.values()]) reject(new TileError(0));
    };
    return worker;
  }

  /** The slide has been left: there is nobody to answer. */
  get closed(): boolean {
    return this.isClosed;
  }

  destroy(): void {
    this.isClosed = true;
    this.worker?.terminate();
    this.worker = null;
  }
}

/** Fetched and unpacked away from the main thread. */
async function fetchPicture(address: string, signal: AbortSignal): Promise<ImageBitmap> {
  const response = await fetch(address, { signal, credentials: "same-origin" });
  if (!response.ok) throw new TileError(response.status);
  return createImageBitmap(await response.blob());
}
