import { useSyncExternalStore, type MouseEvent } from "react";

/** Where we are. So few routes need no router; none of them ever holds what is known of a patient. */
export type Route =
  | { readonly screen: "home" }
  | { readonly screen: "worklist"; readonly query: string }
  | { readonly screen: "cases"; readonly list: string }
  | { readonly screen: "case"; readonly id: string; readonly also: readonly string[] }
  | { readonly screen: "launch"; readonly query: string }
  | { readonly screen: "identification"; readonly slide: string }
  | { readonly screen: "interfaces"; readonly tab: string; readonly message: string }
  | { readonly screen: "viewer"; readonly slide: string }
  | { readonly screen: "storage"; readonly tab: string }
  | { readonly screen: "work"; readonly tab: string };

const CHANGED = "sgi:route";

export function parseRoute(path: string, search: string): Route {
  const asked = new URLSearchParams(search);
  const [, place = "", id = "", ...rest] = path.replace(/\/$/, "").split("/");
  if (rest.length > 0) return { screen: "home" };
  if (place === "view" && id) return { screen: "viewer", slide: decodeURIComponent(id) };
  if (place === "cases" && id) {
    const also = asked.get("also")?.split(",").filter(Boolean) ?? [];
    return { screen: "case", id: decodeURIComponent(id), also };
  }
  if (id) return { screen: "home" };
  switch (place) {
    case "cases":
      return { screen: "cases", list: asked.get("list") ?? "" };
    case "IHEInvokeImageDisplay":
      return { screen: "launch", query: search.replace(/^\?/, "") };
    case "identification":
      return { screen: "identification", slide: asked.get("slide") ?? "" };
    case "interfaces":
      return {
        screen: "interfaces",
        tab: asked.get("tab") ?? "",
        message: asked.get("message") ?? "",
      };
    case "storage":
      return { screen: "storage", tab: asked.get("tab") ?? "" };
    case "work":
      return { screen: "work", tab: asked.get("tab") ?? "" };
    case "slides":
      return { screen: "worklist", query: asked.get("q") ?? "" };
  }
  const query = asked.get("q");
  return query === null ? { screen: "home" } : { screen: "worklist", query };
}

function address(path: string, asked: Readonly<Record<string, string>>): string {
  const filled = Object.entries(asked).filter(([, value]) => value !== "");
  return filled.length === 0 ? path : `${path}?${new URLSearchParams(filled).toString()}`;
}

export function slidePath(slide: string): string {
  return `/view/${encodeURIComponent(slide)}`;
}

export function worklistPath(query: string): string {
  return address("/slides", { q: query });
}

export function casesPath(list = ""): string {
  return address("/cases", { list });
}

export function casePath(id: string, also: readonly string[] = []): string {
  return address(`/cases/${encodeURIComponent(id)}`, { also: also.join(",") });
}

export function identificationPath(slide = ""): string {
  return address("/identification", { slide });
}

export function interfacesPath(tab = "", message = ""): string {
  return address("/interfaces", { tab, message });
}

/** The messages of an interface; those alone that came out so. */
export function messagesPath(name: string, outcome = ""): string {
  return address("/interfaces", { tab: "messages", interface: name, outcome });
}

export function storagePath(tab = ""): string {
  return address("/storage", { tab });
}

export function workPath(tab = ""): string {
  return address("/work", { tab });
}

export function navigate(path: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(history.state, "", path);
  else history.pushState({ within: true }, "", path);
  window.dispatchEvent(new Event(CHANGED));
}

/** Back to where the slide was opened from, or to the first page when it was opened by its address. */
export function leaveSlide(): void {
  const state = history.state as { within?: boolean } | null;
  if (state?.within) history.back();
  else navigate("/");
}

/** For links: a plain click stays in the application, any other does what the browser does. */
export function followLink(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(event.currentTarget.pathname + event.currentTarget.search);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(CHANGED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(CHANGED, listener);
  };
}

export function useRoute(): Route {
  const address = useSyncExternalStore(subscribe, () => location.pathname + location.search);
  const url = new URL(address, location.origin);
  return parseRoute(url.pathname, url.search);
}
