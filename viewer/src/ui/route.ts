import { useSyncExternalStore, type MouseEvent } from "react";

/** Where we are: the worklist, with its search, one slide, or storage. Three routes need no router. */
export type Route =
  | { readonly screen: "worklist"; readonly query: string }
  | { readonly screen: "viewer"; readonly slide: string }
  | { readonly screen: "storage"; readonly tab: string };

const CHANGED = "sgi:route";

export function parseRoute(path: string, search: string): Route {
  const match = /^\/view\/([^/]+)\/?$/.exec(path);
  if (match?.[1]) return { screen: "viewer", slide: decodeURIComponent(match[1]) };
  if (/^\/storage\/?$/.test(path)) {
    return { screen: "storage", tab: new URLSearchParams(search).get("tab") ?? "" };
  }
  return { screen: "worklist", query: new URLSearchParams(search).get("q") ?? "" };
}

export function slidePath(slide: string): string {
  return `/view/${encodeURIComponent(slide)}`;
}

export function worklistPath(query: string): string {
  return query ? `/?${new URLSearchParams({ q: query }).toString()}` : "/";
}

export function storagePath(tab = ""): string {
  return tab ? `/storage?${new URLSearchParams({ tab }).toString()}` : "/storage";
}

export function navigate(path: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(history.state, "", path);
  else history.pushState({ within: true }, "", path);
  window.dispatchEvent(new Event(CHANGED));
}

/** Back to the worklist as it was left, or to a fresh one when the slide was opened by its address. */
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
