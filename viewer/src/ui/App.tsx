import { Loader } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useSession } from "../api/queries";
import type { Session } from "../api/types";
import { useLanguage } from "../i18n";
import styles from "./App.module.css";
import { useRoute, type Route } from "./route";
import { LaunchScreen } from "./shell/LaunchScreen";
import { Notice } from "./shell/Notice";
import { homeOf } from "./shell/places";
import { RestoredNotice } from "./shell/RestoredNotice";
import { SignIn } from "./shell/SignIn";
import { Worklist } from "./worklist/Worklist";

const loadViewer = () => import("./viewer/ViewerScreen");
const CasesPage = lazy(() =>
  import("./cases/CasesPage").then((module) => ({ default: module.CasesPage })),
);
const CasePage = lazy(() =>
  import("./case/CasePage").then((module) => ({ default: module.CasePage })),
);
const IdentificationPage = lazy(() =>
  import("./identification/IdentificationPage").then((module) => ({
    default: module.IdentificationPage,
  })),
);
const InterfacesPage = lazy(() =>
  import("./interfaces/InterfacesPage").then((module) => ({ default: module.InterfacesPage })),
);
const StoragePage = lazy(() =>
  import("./storage/StoragePage").then((module) => ({ default: module.StoragePage })),
);
const WorkPage = lazy(() =>
  import("./work/WorkPage").then((module) => ({ default: module.WorkPage })),
);
const ViewerScreen = lazy(() => loadViewer().then((module) => ({ default: module.ViewerScreen })));

export function App() {
  const { t } = useTranslation();
  const language = useLanguage();
  const route = useRoute();
  const session = useSession();
  const client = useQueryClient();
  const wasSignedIn = useRef(false);
  if (session.data) wasSignedIn.current = true;

  useEffect(() => {
    document.title = `${t("product.short")} – ${t("product.name")}`;
  }, [t, language]);

  // Sentences of the server were asked for in the former language.
  const firstLanguage = useRef(language);
  useEffect(() => {
    if (firstLanguage.current === language) return;
    firstLanguage.current = language;
    void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== "session" });
  }, [client, language]);

  // The viewer's code is fetched while the worklist is read, so that a slide opens at once.
  useEffect(() => {
    if (session.data) void loadViewer();
  }, [session.data]);

  if (session.isPending) return <Waiting />;
  if (session.isError && !session.data) {
    return <Notice error={session.error} onRetry={() => void session.refetch()} />;
  }
  if (!session.data) return <SignIn returning={wasSignedIn.current && route.screen === "viewer"} />;
  return (
    <Suspense fallback={<Waiting />}>
      <Screen route={route} session={session.data} />
      {route.screen !== "viewer" && session.data.role !== "guest" && <RestoredNotice />}
    </Suspense>
  );
}

function Screen(props: { readonly route: Route; readonly session: Session }) {
  const { session } = props;
  const route = routeFor(session, props.route);
  switch (route.screen) {
    case "viewer":
      return <ViewerScreen key={route.slide} id={route.slide} session={session} />;
    case "case":
      return <CasePage key={route.id} id={route.id} also={route.also} session={session} />;
    case "launch":
      return <LaunchScreen query={route.query} />;
    case "cases":
      return <CasesPage session={session} list={route.list} />;
    case "identification":
      return <IdentificationPage session={session} slide={route.slide} />;
    case "interfaces":
      return <InterfacesPage session={session} tab={route.tab} message={route.message} />;
    case "storage":
      return <StoragePage session={session} tab={route.tab} />;
    case "work":
      return <WorkPage session={session} tab={route.tab} />;
    case "worklist":
      return <Worklist session={session} query={route.query} />;
    case "home":
      if (homeOf(session) === "cases") return <CasesPage session={session} list="" />;
      return <Worklist session={session} query="" />;
  }
}

/** A guest has come for one case: there is no other place for them. */
function routeFor(session: Session, route: Route): Route {
  const own = session.role === "guest" ? session.case_id : null;
  if (!own || route.screen === "viewer" || route.screen === "case") return route;
  return { screen: "case", id: own, also: [] };
}

function Waiting() {
  return (
    <div className={styles.waiting}>
      <Loader color="dark.2" size="sm" />
    </div>
  );
}
