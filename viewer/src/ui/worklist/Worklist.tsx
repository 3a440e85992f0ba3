import { Button, Skeleton } from "@mantine/core";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { useLiveEvents, useSlides } from "../../api/queries";
import type { Session, SlideSummary } from "../../api/types";
import { steadyOrder } from "../../core/arrivals";
import { useLanguage } from "../../i18n";
import { navigate, worklistPath } from "../route";
import page from "../shell/ListPage.module.css";
import { Notice } from "../shell/Notice";
import { Reticle } from "../shell/Reticle";
import { SearchField } from "../shell/SearchField";
import { TopBar } from "../shell/TopBar";
import { ArrivalsPanel } from "./ArrivalsPanel";
import { SlideCard } from "./SlideCard";
import { useHandsOn } from "./useHandsOn";
import styles from "./Worklist.module.css";

export function Worklist(props: { readonly session: Session; readonly query: string }) {
  const { t } = useTranslation();
  const connected = useLiveEvents(useLanguage());
  const slides = useSlides(props.query, connected);
  const [grid, handsOn] = useHandsOn<HTMLDivElement>();
  const shown = useSteadySlides(
    slides.data?.pages.flatMap(({ items }) => items),
    `${props.query}\n${slides.data?.pages.length ?? 0}`,
    handsOn,
  );
  const more = useLoadWhenNear(
    slides.hasNextPage && !slides.isFetchingNextPage && !slides.isFetchNextPageError,
    () => void slides.fetchNextPage(),
  );

  return (
    <div className={page.screen}>
      <TopBar session={props.session} connected={connected} />
      <div className={styles.columns}>
        <main className={page.main}>
          <header className={page.head}>
            <h1>{t("worklist.title")}</h1>
            <Search query={props.query} />
          </header>
          {slides.isError && !slides.data ? (
            <Notice error={slides.error} onRetry={() => void slides.refetch()} />
          ) : (
            <div
              ref={grid}
              className={styles.grid}
              onKeyDown={moveAmongCards}
              aria-busy={slides.isPending}
              data-testid="slides"
            >
              {slides.isPending && <Skeletons />}
              {shown.map((slide, index) => (
                <SlideCard key={slide.id} slide={slide} tabbable={index === 0} />
              ))}
            </div>
          )}
          {slides.isSuccess && shown.length === 0 && <Empty query={props.query} />}
          <div ref={more} className={page.more}>
            {slides.hasNextPage && (
              <Button
                variant="default"
                loading={slides.isFetchingNextPage}
                onClick={() => void slides.fetchNextPage()}
                data-testid="more-slides"
              >
                {t("worklist.more")}
              </Button>
            )}
          </div>
          {shown.length > 0 && <p className={page.keys}>{t("worklist.keys")}</p>}
        </main>
        <ArrivalsPanel live={connected} />
      </div>
    </div>
  );
}

/** Slides in order, except that nothing moves under a hand; a new search or page is shown at once. */
function useSteadySlides(
  slides: readonly SlideSummary[] | undefined,
  page: string,
  handsOn: boolean,
): readonly SlideSummary[] {
  const last = useRef<{ page: string; slides: readonly SlideSummary[] }>({ page, slides: [] });
  const shown = useMemo(() => {
    if (!slides) return [];
    const same = last.current.page === page;
    const before = same ? last.current.slides : [];
    const byId = new Map([...before, ...slides].map((slide) => [slide.id, slide]));
    const order = steadyOrder(
      before.map((slide) => slide.id),
      slides.map((slide) => slide.id),
      handsOn && before.length > 0,
    );
    return order.flatMap((id) => byId.get(id) ?? []);
  }, [slides, page, handsOn]);
  useEffect(() => {
    last.current = { page, slides: shown };
  }, [page, shown]);
  return shown;
}

/** Call when the marker comes within a screen's height of view. */
function useLoadWhenNear(wanted: boolean, load: () => void) {
  const marker = useRef<HTMLDivElement>(null);
  const latest = useRef(load);
  useEffect(() => {
    latest.current = load;
  });
  useEffect(() => {
    const target = marker.current;
    if (!wanted || !target) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) latest.current();
      },
      { rootMargin: "100% 0px" },
    );
    observer.observe(target);
    return () => observer.disconnect();
  }, [wanted]);
  return marker;
}

/** Arrows move the focus to the card that lies that way; Enter is the link's own. */
function moveAmongCards(event: KeyboardEvent<HTMLDivElement>): void {
  const cards = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>("a[data-slide]")];
  const from = cards.findIndex((card) => card === document.activeElement);
  const first = cards[0];
  if (from < 0 || !first) return;
  const perRow = cards.filter((card) => card.offsetTop === first.offsetTop).length;
  const steps: Record<string, number> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: perRow,
    ArrowUp: -perRow,
    Home: -from,
    End: cards.length - 1 - from,
  };
  const step = steps[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const target = cards[from + step];
  if (!target) return;
  cards.forEach((card) => (card.tabIndex = card === target ? 0 : -1));
  target.focus();
  target.scrollIntoView({ block: "nearest" });
}

function Search(props: { readonly query: string }) {
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(props.query);

  useEffect(() => setText(props.query), [props.query]);

  useEffect(() => {
    if (text.trim() === props.query) return undefined;
    const timer = window.setTimeout(() => {
      navigate(worklistPath(text.trim()), { replace: true });
    }, 220);
    return () => window.clearTimeout(timer);
  }, [text, props.query]);

  useEffect(() => {
    const onKey = (event: globalThis.KeyboardEvent): void => {
      const typing = event.target instanceof HTMLInputElement;
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "/") {
        event.preventDefault();
        field.current?.focus();
      } else if (event.key.startsWith("Arrow") && document.activeElement === document.body) {
        event.preventDefault();
        document.querySelector<HTMLElement>("a[data-slide]")?.focus();
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);

  return (
    <SearchField
      field={field}
      text={text}
      label={t("worklist.search")}
      onText={setText}
      onKeyDown={(event) => {
        if (event.key === "Escape") setText("");
        if (event.key === "ArrowDown" || event.key === "Enter") {
          event.preventDefault();
          document.querySelector<HTMLElement>("a[data-slide]")?.focus();
        }
      }}
      testid="search"
    />
  );
}

function Empty(props: { readonly query: string }) {
  const { t } = useTranslation();
  return (
    <div className={page.empty} data-testid="empty">
      <Reticle className={styles.emptyMark} />
      <h2>{props.query ? t("worklist.noMatchTitle") : t("worklist.emptyTitle")}</h2>
      <p>
        {props.query
          ? t("worklist.noMatchText", { query: props.query })
          : t("worklist.emptyText")}
      </p>
    </div>
  );
}

function Skeletons() {
  const { t } = useTranslation();
  return (
    <>
      <span className="visually-hidden" role="status">
        {t("worklist.loading")}
      </span>
      {Array.from({ length: 6 }, (_, index) => (
        <Skeleton key={index} height={266} radius={6} className={styles.skeleton ?? ""} />
      ))}
    </>
  );
}
