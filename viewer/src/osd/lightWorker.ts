/**
 * Away from the main thread: fetch the light of a tile, one grey picture for each optical path, and make
 * one picture of it. Unpacked light is kept a while, so that another colour or one path less costs neither
 * network nor decoding.
 */

import type { Colour } from "../core/look";
import { addLights, greyOf } from "../core/tint";

export interface LightPart {
  readonly address: string;
  readonly colour: Colour;
}

export type LightQuestion =
  | { readonly id: number; readonly parts: readonly LightPart[] }
  | { readonly id: number; readonly abort: true };

/** `status` is the HTTP status of a refusal, or 0 where there was no answer or no picture. */
export type LightAnswer =
  | { readonly id: number; readonly picture: ImageBitmap }
  | { readonly id: number; readonly status: number };

interface Grey {
  readonly columns: number;
  readonly rows: number;
  readonly values: Uint8Array<ArrayBuffer>;
}

const MOST_KEPT_BYTES = 128 * 1024 * 1024;
const kept = new Map<string, Grey>();
let keptBytes = 0;
const underWay = new Map<number, AbortController>();

class Refusal extends Error {
  constructor(readonly status: number) {
    super(`refused with status ${status}`);
  }
}

async function read(address: string, signal: AbortSignal): Promise<Grey> {
  const known = kept.get(address);
  if (known) {
    kept.delete(address);
    kept.set(address, known);
    return known;
  }
  const response = await fetch(address, { signal, credentials: "same-origin" });
  if (!response.ok) throw new Refusal(response.status);
  const picture = await createImageBitmap(await response.blob());
  const { width: columns, height: rows } = picture;
  const context = new OffscreenCanvas(columns, rows).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Refusal(0);
  context.drawImage(picture, 0, 0);
  picture.close();
  const values = greyOf(context.getImageData(0, 0, columns, rows).data);
  const grey = { columns, rows, values };
  if (!kept.has(address)) {
    kept.set(address, grey);
    keptBytes += values.length;
  }
  for (const [oldest, { values: dropped }] of kept) {
    if (keptBytes <= MOST_KEPT_BYTES) break;
    kept.delete(oldest);
    keptBytes -= dropped.length;
  }
  return grey;
}

async function make(parts: readonly LightPart[], signal: AbortSignal): Promise<ImageBitmap> {
  const greys = await Promise.all(parts.map(({ address }) => read(address, signal)));
  const first = greys[0];
  if (!first) throw new Refusal(0);
  const { columns, rows } = first;
  if (greys.some((grey) => grey.columns !== columns || grey.rows !== rows)) throw new Refusal(0);
  signal.throwIfAborted();
  const lights = parts.map(({ colour }, index) => ({
    colour,
    grey: greys[index]?.values ?? first.values,
  }));
  return createImageBitmap(new ImageData(addLights(lights, columns * rows), columns, rows));
}

function answer(message: LightAnswer, moved: Transferable[] = []): void {
  // The types at hand are a page's, where posting wants a receiver; a worker's has but one.
  self.postMessage(message, { transfer: moved });
}

self.onmessage = ({ data }: MessageEvent<LightQuestion>) => {
  const { id } = data;
  if ("abort" in data) {
    underWay.get(id)?.abort();
    return;
  }
  const closing = new AbortController();
  underWay.set(id, closing);
  make(data.parts, closing.signal)
    .then((picture) => answer({ id, picture }, [picture]))
    .catch((error: unknown) => {
      answer({ id, status: error instanceof Refusal ? error.status : 0 });
    })
    .finally(() => underWay.delete(id));
};
