import { describe, expect, it } from "vitest";

import { isShown, kindOfReport } from "./reports";

describe("a report", () => {
  it("is called what it is", () => {
    expect(kindOfReport("application/PDF; x=1")).toBe("PDF");
    expect(kindOfReport("image/svg+xml")).toBe("SVG");
    expect(kindOfReport("application/octet-stream")).toBe("application/octet-stream");
  });

  it("is a file to save unless it is PDF or text", () => {
    expect(isShown("text/plain; charset=utf-8")).toBe(true);
    expect(isShown("text/html")).toBe(false);
  });
});
