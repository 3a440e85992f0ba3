/** What the screens ask of the server, kept by TanStack Query under one set of keys. */

import {
  keepPreviousData,
  QueryCache,
  MutationCache,
  QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { CASES_KEY } from "./cases";
import {
  ApiProblem,
  readArrivals,
  readFocusMap,
  readSession,
  readSlide,
  readSlides,
  retryArrival,
  signIn,
  signOut,
} from "./client";
import { followEvents } from "./events";
import { UNIDENTIFIED_KEY } from "./identification";
import type { Arrival, Session, Slide } from "./types";

const keys = {
  session: ["session"] as const,
  arrivals: ["arrivals"] as const,
  slides: ["slides"] as const,
  slide: (id: string) => ["slide", id] as const,
  focusMap: (id: string) => ["focus-map", id] as const,
};

/** Anything but a refusal may pass by itself: a restarting server, a cut cable. */
function worthRetrying(count: number, error: Error): boolean {
  const refused = error instanceof ApiProblem && error.status >= 400 && error.status < 500;
  return !refused && count < 2;
}

export function createQueryClient(): QueryClient {
  const onError = (error: Error): void => {
    if (error instanceof ApiProblem && error.status === 401) forgetSession(client);
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: { queries: { retry: worthRetrying, staleTime: 10_000 } },
  });
  return client;
}

/** The server no longer knows us: the sign-in form takes the place of whatever was shown. */
export function forgetSession(client: QueryClient): void {
  client.setQueryData<Session | null>(keys.session, null);
}

export function useSession() {
  return useQuery({
    queryKey: keys.session,
    queryFn: ({ signal }) => readSession(signal),
    staleTime: Infinity,
    refetchOnWindowFocus: "always",
  });
}

export function useSignIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (form: { name: string; password: string }) => signIn(form.name, form.password),
    onSuccess: (session) => {
      // Another person may have signed in: nothing of the last one stays.
      client.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.session[0] });
      client.setQueryData<Session | null>(keys.session, session);
    },
  });
}

export function useSignOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: signOut,
    onSettled: () => {
      forgetSession(client);
      client.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.session[0] });
    },
  });
}

/** Arrivals, newest first. Without live events they are asked for every few seconds instead. */
export function useArrivals(live: boolean) {
  return useQuery({
    queryKey: keys.arrivals,
    queryFn: ({ signal }) => readArrivals(signal),
    refetchInterval: live ? false : 5_000,
  });
}

export function useRetryArrival() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: retryArrival,
    onSettled: () => client.invalidateQueries({ queryKey: keys.arrivals }),
  });
}

export function useSlides(query: string, live: boolean) {
  return useInfiniteQuery({
    queryKey: [...keys.slides, query],
    queryFn: ({ pageParam, signal }) => readSlides({ query, after: pageParam }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    refetchInterval: live ? false : 10_000,
  });
}

export function useSlide(id: string) {
  return useQuery({
    queryKey: keys.slide(id),
    queryFn: ({ signal }) => readSlide(id, signal),
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

/** Fetched ahead, so that the next slide of a case opens without a wait. */
export function usePrefetchSlides(ids: readonly (string | null)[]): void {
  const client = useQueryClient();
  const wanted = ids.filter((id) => id !== null).join(" ");
  useEffect(() => {
    for (const id of wanted.split(" ").filter(Boolean)) {
      void client.prefetchQuery({
        queryKey: keys.slide(id),
        queryFn: ({ signal }) => readSlide(id, signal),
        staleTime: Infinity,
      });
    }
  }, [client, wanted]);
}

/** Fetched when it is wanted, and kept: a slide is judged once. */
export function useFocusMap(id: string, wanted: boolean) {
  return useQuery({
    queryKey: keys.focusMap(id),
    queryFn: ({ signal }) => readFocusMap(id, signal),
    enabled: wanted,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
  });
}

/** Apply the server's events to what is shown; true while connected. */
export function useLiveEvents(language: string): boolean {
  const client = useQueryClient();
  const [connected, setConnected] = useState(true);
  const session = useSession();
  const may = session.data?.permissions.includes("view_arrivals") ?? false;

  useEffect(() => {
    if (!may) return undefined;
    let timer: number | undefined;
    let casesTimer: number | undefined;
    const refetchSlides = (): void => {
      // A batch of slides is published in a burst; one refetch serves them all.
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        void client.invalidateQueries({ queryKey: keys.slides });
      }, 150);
    };
    const refetchCases = (): void => {
      window.clearTimeout(casesTimer);
      casesTimer = window.setTimeout(() => {
        void client.invalidateQueries({ queryKey: [CASES_KEY] });
        void client.invalidateQueries({ queryKey: UNIDENTIFIED_KEY });
      }, 400);
    };
    const stop = followEvents({
      onArrival: (arrival) => {
        client.setQueryData<readonly Arrival[]>(keys.arrivals, (known) => {
          if (!known) return known;
          const index = known.findIndex((item) => item.id === arrival.id);
          return index < 0 ? [arrival, ...known] : known.with(index, arrival);
        });
      },
      onSlide: () => {
        refetchSlides();
        refetchCases();
      },
      onCase: refetchCases,
      onTiers: ({ id, tiers }) => {
        client.setQueryData<Slide>(keys.slide(id), (known) => known && { ...known, tiers });
        const { move } = tiers;
        if (move?.asked_by_me && move.ended_at !== null) {
          void client.invalidateQueries({ queryKey: ["restored"] });
        }
        if (move?.state === "done") refetchSlides();
      },
      onConnect: () => {
        setConnected(true);
        void client.invalidateQueries({
          predicate: ({ queryKey, state }) =>
            queryKey[0] === "slide" && (state.data as Slide | undefined)?.tiers.tier !== "warm",
        });
        void client.invalidateQueries({ queryKey: keys.arrivals });
        refetchSlides();
        refetchCases();
      },
      onDisconnect: () => {
        setConnected(false);
        // A stream refused for want of a session cannot say so; this question can.
        void client.invalidateQueries({ queryKey: keys.session });
      },
    });
    return () => {
      window.clearTimeout(timer);
      window.clearTimeout(casesTimer);
      stop();
    };
  }, [client, language, may]);

  return connected;
}
