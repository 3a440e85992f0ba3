/** The slides of a case as one row, in the order in which its page shows them. */

interface ScanLike {
  readonly slide_id: string;
  readonly current: boolean;
}

interface GlassLike {
  readonly cancelled: boolean;
  readonly scans: readonly ScanLike[];
}

interface BlockLike {
  readonly slides: readonly GlassLike[];
}

interface CaseLike<B extends BlockLike> {
  readonly specimens: ReadonlyArray<{ readonly blocks: readonly B[] }>;
}

/** The scan to look at of each glass that has one; older scans are not gone through. */
export function scansInOrder<B extends BlockLike>(shown: CaseLike<B>): readonly string[] {
  const blocks = shown.specimens.flatMap((specimen) => specimen.blocks);
  return blocks.flatMap((block) =>
    block.slides.flatMap((glass) => {
      const scan = glass.scans.find((each) => each.current) ?? glass.scans[0];
      return scan && !glass.cancelled ? [scan.slide_id] : [];
    }),
  );
}

/** The glass of a scan and the block it was cut from, older scans included. */
export function glassOfScan<B extends BlockLike>(
  shown: CaseLike<B>,
  slide: string,
): { readonly glass: B["slides"][number]; readonly block: B } | null {
  for (const specimen of shown.specimens) {
    for (const block of specimen.blocks) {
      const glass = block.slides.find((each) => each.scans.some((scan) => scan.slide_id === slide));
      if (glass) return { glass, block };
    }
  }
  return null;
}
