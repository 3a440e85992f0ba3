import { Loader } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useSession } from "../api/queries";
import { useLanguage } from "../i18n";
import styles from "./App.module.css";
import { useRoute } from "./route";
import { Notice } from "./shell/Notice";
import { SignIn } from "./shell/SignIn";
import { Worklist } from "./worklist/Worklist";

const loadViewer = () => import("./viewer/ViewerScreen");
const StoragePage = lazy(() =>
  import("./storage/StoragePage").then((module) => ({ default: module.StoragePage })),
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
  if (route.screen === "viewer") {
    return (
      <Suspense fallback={<Waiting />}>
        <ViewerScreen key={route.slide} id={route.slide} session={session.data} />
      </Suspense>
    );
  }
  if (route.screen === "storage") {
    return (
      <Suspense fallback={<Waiting />}>
        <StoragePage session={session.data} tab={route.tab} />
      </Suspense>
    );
  }
  return <Worklist session={session.data} query={route.query} />;
}

function Waiting() {
  return (
    <div className={styles.waiting}>
      <Loader color="dark.2" size="sm" />
    </div>
  );
}
