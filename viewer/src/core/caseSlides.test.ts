import { describe, expect, it } from "vitest";

import { glassOfScan, scansInOrder } from "./caseSlides";

const scan = (slide_id: string, current = true) => ({ slide_id, current });
const glass = (stain: string | null, ...scans: ReturnType<typeof scan>[]) => ({
  stain,
  cancelled: false,
  scans,
});
const shown = {
  specimens: [
    { blocks: [{ slides: [glass("HES", scan("old", false), scan("new")), glass("PAS")] }] },
    {
      blocks: [
        { slides: [{ ...glass("X", scan("gone")), cancelled: true }] },
        { slides: [glass(null, scan("last", false))] },
      ],
    },
  ],
};

describe("slides of a case", () => {
  it("are gone through once each, in the order of the page", () => {
    expect(scansInOrder(shown)).toEqual(["new", "last"]);
    expect(scansInOrder({ specimens: [] })).toEqual([]);
  });

  it("are of a glass and a block, whichever scan is looked at", () => {
    expect(glassOfScan(shown, "old")?.glass.stain).toBe("HES");
    expect(glassOfScan(shown, "old")?.block).toBe(shown.specimens[0]?.blocks[0]);
    expect(glassOfScan(shown, "last")?.glass.stain).toBeNull();
    expect(glassOfScan(shown, "nobody's")).toBeNull();
  });
});
