import { describe, expect, it } from "vitest";

import { formatArea, formatBytes, formatLength, formatMagnification, formatPixelRatio, oneLine } from "./text";
import { formatMoment } from "./time";

describe("quantities in words", () => {
  it("speak French and English", () => {
    expect(formatMagnification(12.5, "fr")).toBe("12,5×");
    expect(formatMagnification(1.25, "en")).toBe("1.25×");
    expect(formatBytes(1_623_456_789, "fr")).toBe("1,6\u00a0Go");
    expect(formatBytes(999_600, "en")).toBe("1\u00a0MB");
    expect(formatLength(500, "en")).toBe("500\u00a0µm");
    expect(formatLength(2000, "fr")).toBe("2\u00a0mm");
    expect(formatArea(15.41, 12, "fr")).toBe("15,4 × 12,0\u00a0mm");
    expect(formatPixelRatio(1 / 8, "en")).toBe("1:8");
    expect(formatPixelRatio(2, "en")).toBe("2:1");
  });
});

describe("formatMoment", () => {
  it("shows a moment without a zone as the scanner wrote it", () => {
    expect(formatMoment("2026-03-12T10:11:12", "fr")).toContain("10:11");
  });

  it("has nothing to say of nonsense", () => {
    expect(formatMoment("yesterday", "en")).toBeNull();
  });
});

describe("words for another system", () => {
  it("are in one line, whatever was typed", () => {
    expect(oneLine(" deep\r\nlevels\u0085 please\t")).toBe("deep levels please");
  });
});
