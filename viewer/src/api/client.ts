/** Calls to the server: one function each, errors as `ApiProblem`, nothing about screens. */

import type { Arrival, AssociatedImage, Session, Slide, SlidePage } from "./types";

/** A refusal, in the server's words where it has some. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string | null,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(detail ?? title);
    this.name = "ApiProblem";
  }

  /** The server could not be reached at all. */
  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

let language = "fr";
let csrfToken: string | null = null;

/** The language of every sentence the server sends from now on. */
export function setApiLanguage(chosen: string): void {
  language = chosen;
}

async function problemFrom(response: Response): Promise<ApiProblem> {
  let title = response.statusText || String(response.status);
  let detail: string | null = null;
  try {
    const body: unknown = await response.json();
    if (body && typeof body === "object") {
      if ("title" in body && typeof body.title === "string") title = body.title;
      if ("detail" in body && typeof body.detail === "string") detail = body.detail;
    }
  } catch {
    // Not every proxy on the way answers with a problem object; the status says enough.
  }
  const retryAfter = Number(response.headers.get("Retry-After"));
  return new ApiProblem(response.status, title, detail, retryAfter > 0 ? retryAfter : null);
}

export async function send(method: string, path: string, body?: unknown, signal?: AbortSignal) {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Accept-Language": language,
  };
  if (method !== "GET" && csrfToken) headers["X-CSRF-Token"] = csrfToken;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: "same-origin",
      ...(body !== undefined ? { body: JSON.stringify(body) } : {}),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiProblem(0, "unreachable", null);
  }
  if (!response.ok) throw await problemFrom(response);
  return response;
}

export async function readJson<T>(method: string, path: string, body?: unknown, signal?: AbortSignal) {
  const response = await send(method, path, body, signal);
  return (await response.json()) as T;
}

function remember(session: Session): Session {
  csrfToken = session.csrf_token;
  return session;
}

export async function signIn(name: string, password: string): Promise<Session> {
  return remember(await readJson<Session>("POST", "/api/v1/sign-in", { name, password }));
}

export async function signOut(): Promise<void> {
  await send("POST", "/api/v1/sign-out");
  csrfToken = null;
}

/** Who is signed in; null when nobody is. */
export async function readSession(signal?: AbortSignal): Promise<Session | null> {
  try {
    return remember(await readJson<Session>("GET", "/api/v1/me", undefined, signal));
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 401) return null;
    throw error;
  }
}

export async function readArrivals(signal?: AbortSignal): Promise<readonly Arrival[]> {
  const page = await readJson<{ items: Arrival[] }>("GET", "/api/v1/arrivals", undefined, signal);
  return page.items;
}

export async function retryArrival(id: string): Promise<void> {
  await send("POST", `/api/v1/arrivals/${encodeURIComponent(id)}/retry`);
}

export function readSlides(
  filter: { readonly query: string; readonly after: string | null },
  signal?: AbortSignal,
): Promise<SlidePage> {
  const parameters = new URLSearchParams();
  if (filter.query) parameters.set("q", filter.query);
  if (filter.after) parameters.set("after", filter.after);
  const text = parameters.toString();
  return readJson("GET", `/api/v1/slides${text ? `?${text}` : ""}`, undefined, signal);
}

export function readSlide(id: string, signal?: AbortSignal): Promise<Slide> {
  return readJson("GET", `/api/v1/slides/${encodeURIComponent(id)}`, undefined, signal);
}

/** The address of the event stream; EventSource can set no header, so the language is in the address. */
export function eventsAddress(): string {
  return `/api/v1/events?lang=${encodeURIComponent(language)}`;
}

export function imageAddress(slide: string, image: AssociatedImage): string {
  return `/slides/${encodeURIComponent(slide)}/${image}`;
}

/** `query` names path, plane and window where they are not the first: see `core/look`. */
export function tileAddress(
  slide: string,
  level: number,
  column: number,
  row: number,
  query = "",
): string {
  return `/tiles/${encodeURIComponent(slide)}/${level}/${column}/${row}${query}`;
}

/** How sharp a slide is from place to place: a grey picture with one pixel for each cell. */
export async function readFocusMap(slide: string, signal?: AbortSignal): Promise<Blob> {
  const path = `/slides/${encodeURIComponent(slide)}/focus`;
  const response = await send("GET", path, undefined, signal);
  return response.blob();
}
