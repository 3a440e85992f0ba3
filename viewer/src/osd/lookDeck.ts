import OpenSeadragon from "openseadragon";

import { lookKey, type Look } from "../core/look";

interface Card {
  readonly look: Look;
  /** Null until OpenSeadragon has taken it in. */
  item: OpenSeadragon.TiledImage | null;
  /** When it was asked to be on top. */
  wantedAt: number;
}

/** How long a new look may stay hidden while its tiles come; then it is shown as far as it has come. */
const PATIENCE_MS = 700;
/** While a channel is being set, the planes beside it would be fetched in vain. */
const REST_MS = 400;
/** The look below stays until the one above it has surely been drawn. */
const FAREWELL_MS = 120;

/**
 * The looks of one slide as OpenSeadragon's images, one upon the other and all but one unseen: a new look
 * is loaded out of sight and comes up when it is whole, so that nothing flashes, and the looks that may be
 * wanted next are loaded once nothing else is.
 */
export class LookDeck {
  private readonly cards = new Map<string, Card>();
  private top: Card;
  private wanted: Card;
  private beside: readonly Look[] = [];
  private timer = 0;
  private restsUntil = 0;
  private closed = false;

  /** `first` is on the screen already, as `item`. */
  constructor(
    private readonly osd: OpenSeadragon.Viewer,
    private readonly sourceOf: (look: Look) => OpenSeadragon.TileSource,
    private readonly onChange: () => void,
    first: Look,
    item: OpenSeadragon.TiledImage,
  ) {
    this.top = { look: first, item, wantedAt: 0 };
    this.wanted = this.top;
    this.cards.set(lookKey(first), this.top);
    this.watch(item);
  }

  /** The look on the screen, and its image. */
  get shown(): Look {
    return this.top.look;
  }

  get item(): OpenSeadragon.TiledImage | null {
    return this.top.item;
  }

  /** The look asked for is the one on the screen, and its tiles are all there. */
  get settled(): boolean {
    return this.top === this.wanted && (this.top.item?.getFullyLoaded() ?? false);
  }

  /** Go over to `look`; fetch `beside` ahead when there is nothing better to do. */
  show(look: Look, beside: readonly Look[]): void {
    const key = lookKey(look);
    const turned = lookKey({ ...look, plane: this.wanted.look.plane }) === lookKey(this.wanted.look);
    this.restsUntil = turned ? 0 : performance.now() + REST_MS;
    this.beside = beside;
    this.wanted = this.cards.get(key) ?? this.add(look);
    this.wanted.wantedAt = performance.now();
    const kept = new Set([key, lookKey(this.top.look), ...beside.map(lookKey)]);
    for (const [other, card] of this.cards) {
      if (kept.has(other)) continue;
      this.cards.delete(other);
      if (card.item) this.osd.world.removeItem(card.item);
    }
    if (this.wanted.item && this.wanted !== this.top) wake(this.wanted.item);
    this.onChange();
    // Whether it is whole is known once OpenSeadragon has looked at it again.
    requestAnimationFrame(() => requestAnimationFrame(() => this.step()));
    this.stepLater(PATIENCE_MS + 20);
  }

  private add(look: Look): Card {
    const card: Card = { look, item: null, wantedAt: 0 };
    this.cards.set(lookKey(look), card);
    this.osd.addTiledImage({
      tileSource: this.sourceOf(look),
      opacity: 0,
      preload: true,
      // It lies on a look that is whole: no ground of its own.
      placeholderFillStyle: null,
      success: (event: unknown) => {
        const { item } = event as { readonly item: OpenSeadragon.TiledImage };
        if (this.closed || this.cards.get(lookKey(look)) !== card) {
          this.osd.world?.removeItem(item);
          return;
        }
        // Tiles fade in over coarser ones, but a change of look is a cut.
        (item as unknown as { blendTime: number }).blendTime = 0;
        card.item = item;
        this.watch(item);
        this.step();
      },
    } as unknown as OpenSeadragon.TileSourceSpecifier);
    return card;
  }

  private watch(item: OpenSeadragon.TiledImage): void {
    item.addHandler("fully-loaded-change", () => this.step());
  }

  private stepLater(milliseconds: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.step(), milliseconds);
  }

  private step(): void {
    if (this.closed) return;
    const { wanted, top } = this;
    if (wanted !== top && wanted.item) {
      const waited = performance.now() - wanted.wantedAt;
      if (wanted.item.getFullyLoaded() || waited >= PATIENCE_MS) this.raise(wanted, wanted.item);
    }
    const now = performance.now();
    if (this.settled && now < this.restsUntil) this.stepLater(this.restsUntil - now + 20);
    const idle = this.settled && now >= this.restsUntil;
    for (const look of this.beside) {
      const card = this.cards.get(lookKey(look));
      if (!card && idle) this.add(look);
      else if (card?.item && card !== this.wanted && card !== this.top) {
        if (idle) wake(card.item);
        else card.item.setPreload(false);
      }
    }
    this.onChange();
  }

  private raise(card: Card, item: OpenSeadragon.TiledImage): void {
    const { world } = this.osd;
    world.setItemIndex(item, world.getItemCount() - 1);
    item.setOpacity(1);
    this.top = card;
    window.setTimeout(() => this.hideAllBelow(card), FAREWELL_MS);
  }

  private hideAllBelow(card: Card): void {
    if (this.closed || this.top !== card || !card.item) return;
    if (!card.item.getFullyLoaded()) {
      window.setTimeout(() => this.hideAllBelow(card), FAREWELL_MS);
      return;
    }
    for (const [key, other] of this.cards) {
      if (other === card || other === this.wanted) continue;
      other.item?.setOpacity(0);
      other.item?.setPreload(false);
      if (this.beside.some((look) => lookKey(look) === key)) continue;
      this.cards.delete(key);
      if (other.item) this.osd.world.removeItem(other.item);
    }
    // The lowest is served first when tiles are fetched.
    this.osd.world.setItemIndex(card.item, 0);
    this.step();
  }

  destroy(): void {
    this.closed = true;
    window.clearTimeout(this.timer);
  }
}

/** Load what of it lies in the field of view, though it is not to be seen. */
function wake(item: OpenSeadragon.TiledImage): void {
  if (item.getPreload()) return;
  item.setPreload(true);
  // An image asleep does not notice that the view has moved on; this makes it look again.
  item.setClip(null);
}
