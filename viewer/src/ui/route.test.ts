import { describe, expect, it } from "vitest";

import {
  casePath,
  casesPath,
  identificationPath,
  interfacesPath,
  messagesPath,
  parseRoute,
  slidePath,
  storagePath,
  workPath,
  worklistPath,
} from "./route";

const parsed = (path: string) => {
  const url = new URL(path, "http://x");
  return parseRoute(url.pathname, url.search);
};

describe("routes", () => {
  it("come back from their own addresses", () => {
    expect(parsed(slidePath("a/b"))).toEqual({ screen: "viewer", slide: "a/b" });
    expect(parsed(casePath("7"))).toEqual({ screen: "case", id: "7", also: [] });
    expect(parsed(casePath("7", ["8", "9"]))).toEqual({
      screen: "case",
      id: "7",
      also: ["8", "9"],
    });
    expect(parsed("/IHEInvokeImageDisplay?requestType=STUDY&studyUID=1.2")).toEqual({
      screen: "launch",
      query: "requestType=STUDY&studyUID=1.2",
    });
    expect(parsed(casesPath("mine"))).toEqual({ screen: "cases", list: "mine" });
    expect(parsed(casesPath())).toEqual({ screen: "cases", list: "" });
    expect(parsed(worklistPath("26P é"))).toEqual({ screen: "worklist", query: "26P é" });
    expect(parsed(identificationPath("7"))).toEqual({ screen: "identification", slide: "7" });
    expect(parsed(storagePath("capacity"))).toEqual({ screen: "storage", tab: "capacity" });
    expect(parsed(workPath("rules"))).toEqual({ screen: "work", tab: "rules" });
    expect(parsed(interfacesPath("messages", "9"))).toEqual({
      screen: "interfaces",
      tab: "messages",
      message: "9",
    });
    expect(messagesPath("sgl", "refused")).toBe(
      "/interfaces?tab=messages&interface=sgl&outcome=refused",
    );
  });

  it("lead home from anywhere else", () => {
    expect(parsed("/")).toEqual({ screen: "home" });
    expect(parsed("/nowhere")).toEqual({ screen: "home" });
    expect(parsed("/cases/1/2")).toEqual({ screen: "home" });
    expect(parsed("/?q=a")).toEqual({ screen: "worklist", query: "a" });
  });
});
