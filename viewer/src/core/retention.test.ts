import { describe, expect, it } from "vitest";

import { formatDate, groundsOn, isReason } from "./retention";

describe("retention", () => {
  it("asks for a reason that is one", () => {
    expect(isReason("   no   ")).toBe(false);
    expect(isReason("scanned twice")).toBe(true);
    expect(isReason("x".repeat(501))).toBe(false);
  });

  it("shows a calendar date in any time zone", () => {
    expect(formatDate("2046-11-22", "en")).toBe("22 November 2046");
    expect(formatDate("2046-11-22T23:59:00Z", "fr")).toBe("22 novembre 2046");
  });

  it("offers the end of retention only once it has come", () => {
    const today = new Date("2046-11-22T12:00:00Z");
    expect(groundsOn(today, "2046-11-22")).toContain("retention_ended");
    expect(groundsOn(today, "2046-11-23")).not.toContain("retention_ended");
    expect(groundsOn(today, "2046-11-23")).toContain("wrong_slide");
  });
});
