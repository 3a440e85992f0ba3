/** Interfaces with the laboratory's system, and every message that went through them. */

import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";

import { readJson, send } from "./client";

export interface Interface {
  readonly name: string;
  readonly kind: "mllp" | "files";
  readonly port: number | null;
  /** What it tells the other system; empty where it only listens. */
  readonly sends: readonly string[];
  readonly last_message_at: string | null;
  readonly last_in_at: string | null;
  readonly last_out_at: string | null;
  readonly backlog: number;
  /** Notices that only a person moves on. */
  readonly stopped: number;
  readonly failures: number;
  readonly minutes_behind: number;
  /** When its process last gave a sign of life. */
  readonly seen_at: string;
  readonly health: Health;
}

export type Health =
  | "silent_process"
  | "behind"
  | "stopped"
  | "refusing"
  | "never"
  | "quiet"
  | "well";

export interface Change {
  readonly what: string;
  readonly id?: string | null;
  readonly detail?: string | null;
}

export type Outcome = "applied" | "unchanged" | "refused" | "sent" | "accepted";

export interface Message {
  readonly id: string;
  readonly interface: string;
  readonly direction: "in" | "out";
  readonly received_at: string;
  readonly said_at: string | null;
  readonly control_id: string;
  readonly sender: string;
  readonly type: string;
  /** What one that went out tells. */
  readonly notice: Notice["kind"] | null;
  readonly size_bytes: number;
  readonly outcome: Outcome;
  readonly error: string | null;
  readonly changes: readonly Change[];
  readonly accession_number: string | null;
  readonly patient_id: string | null;
  readonly replay_of: string | null;
  readonly repeats: number;
}

export interface MessageContent {
  readonly raw: string;
  readonly answer: string | null;
  /** False where it is longer than what is told. */
  readonly is_whole: boolean;
}

export interface Notice {
  readonly id: string;
  readonly interface: string;
  readonly kind: "LAB-104" | "LAB-101" | "LAB-102" | "ORU";
  readonly case_id: string | null;
  readonly created_at: string;
  readonly next_try_at: string;
  readonly attempts: number;
  readonly state: "waiting" | "sent" | "accepted" | "refused" | "dead" | "given_up";
  readonly message_id: string | null;
  readonly last_error: string | null;
}

export interface MessageFilter {
  readonly interface: string;
  readonly direction: string;
  readonly outcome: string;
  readonly type: string;
  readonly accession_number: string;
  readonly control_id: string;
}

const KEY = "interfaces";
const keys = {
  all: [KEY] as const,
  list: [KEY, "list"] as const,
  messages: (filter: MessageFilter) => [KEY, "messages", filter] as const,
  message: (id: string) => [KEY, "message", id] as const,
  content: (id: string) => ["message-content", id] as const,
  outbox: [KEY, "outbox"] as const,
};

const INTERFACES = "/api/v1/interfaces";
const MESSAGES = "/api/v1/messages";
const OUTBOX = "/api/v1/outbox";
const REFRESH_MS = 10_000;

export function useInterfaces() {
  return useQuery({
    queryKey: keys.list,
    queryFn: ({ signal }) =>
      readJson<{ items: Interface[] }>("GET", INTERFACES, undefined, signal),
    refetchInterval: REFRESH_MS,
  });
}

export function useMessages(filter: MessageFilter) {
  return useInfiniteQuery({
    queryKey: keys.messages(filter),
    queryFn: ({ pageParam, signal }) => {
      const asked = new URLSearchParams();
      for (const [name, value] of Object.entries(filter)) if (value) asked.set(name, value);
      if (pageParam) asked.set("after", pageParam);
      return readJson<{ items: Message[]; next: string | null }>(
        "GET",
        `${MESSAGES}?${asked.toString()}`,
        undefined,
        signal,
      );
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
}

export function useMessage(id: string) {
  return useQuery({
    queryKey: keys.message(id),
    queryFn: ({ signal }) =>
      readJson<Message>("GET", `${MESSAGES}/${encodeURIComponent(id)}`, undefined, signal),
  });
}

/** Each view of it is on record: it is asked for once, when a person wants to see it. */
export function useMessageContent(id: string, wanted: boolean) {
  return useQuery({
    queryKey: keys.content(id),
    queryFn: ({ signal }) =>
      readJson<MessageContent>(
        "GET",
        `${MESSAGES}/${encodeURIComponent(id)}/content`,
        undefined,
        signal,
      ),
    enabled: wanted,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

export function useOutbox() {
  return useQuery({
    queryKey: keys.outbox,
    queryFn: ({ signal }) => readJson<{ items: Notice[] }>("GET", OUTBOX, undefined, signal),
    refetchInterval: REFRESH_MS,
  });
}

function useChange<T, R>(change: (wish: T) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => client.invalidateQueries({ queryKey: keys.all }),
  });
}

export function useReplay() {
  return useChange((id: string) =>
    readJson<Message>("POST", `${MESSAGES}/${encodeURIComponent(id)}/replay`),
  );
}

export function useRetryNotice() {
  return useChange((id: string) => readJson("POST", `${OUTBOX}/${encodeURIComponent(id)}/retry`));
}

export function useRemoveInterface() {
  return useChange((name: string) => send("DELETE", `${INTERFACES}/${encodeURIComponent(name)}`));
}

export function useGiveUpNotice() {
  return useChange((id: string) => readJson("POST", `${OUTBOX}/${encodeURIComponent(id)}/give-up`));
}
