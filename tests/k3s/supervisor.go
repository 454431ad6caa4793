// The supervisor port: /cacerts, /ping, /db/info and /db/snapshot, as an
// `etcd-snapshot` command, joining servers and probes expect them of k3s.
package main

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type supervisor struct {
	server *server
	http   *http.Server
	ready  atomic.Bool // the API is
	member atomic.Bool // etcd runs, and may have to wait for others
	saver  snapshotSaver
}

// startSupervisor listens from the beginning: until the server is ready, or is a
// member that waits for others, every request is answered with 503 "starting".
func startSupervisor(s *server) (*supervisor, error) {
	w := &supervisor{server: s}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, "pong") })
	mux.HandleFunc("GET /cacerts", func(rw http.ResponseWriter, _ *http.Request) {
		text, err := os.ReadFile(s.tls("server-ca.crt"))
		if err != nil {
			writeStatus(rw, http.StatusInternalServerError, err.Error())
			return
		}
		_, _ = rw.Write(text)
	})
	mux.HandleFunc("GET /db/info", w.info)
	mux.HandleFunc("POST /db/snapshot", w.snapshot)
	mux.HandleFunc("PUT "+tokenPath, w.rotate)
	mux.HandleFunc("GET "+serverConfigPath, w.config)
	mux.HandleFunc("GET "+bootstrapPath, w.bootstrap)
	if err := ensureCAs(s.layout); err != nil {
		return nil, err
	}
	if err := ensureLeaves(s.layout, s.opts); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", s.opts.supervisorPort))
	if err != nil {
		return nil, err
	}
	certificate := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(s.tls("serving-kube-apiserver.crt"), s.tls("serving-kube-apiserver.key"))
		return &pair, err
	}
	w.http = &http.Server{Handler: w.gate(mux), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		err := w.http.Serve(tls.NewListener(listener, &tls.Config{GetCertificate: certificate, MinVersion: tls.VersionTLS12}))
		if err != http.ErrServerClosed {
			s.failed <- shutdownRequest{fmt.Errorf("supervisor: %w", err)}
		}
	}()
	return w, nil
}

func (w *supervisor) close() { _ = w.http.Close() }

func (w *supervisor) gate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !(w.ready.Load() || w.member.Load()) || readFault(w.server.layout).is("starting") {
			http.Error(rw, "starting", http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(rw, r)
	})
}

// info answers without authentication to this host.
func (w *supervisor) info(rw http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || (!net.ParseIP(host).IsLoopback() && !w.authorized(r, "server")) {
		writeStatus(rw, http.StatusUnauthorized, notAuthorized)
		return
	}
	if w.server.sqlite {
		writeStatus(rw, http.StatusBadRequest, "etcd datastore disabled")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	members, err := w.server.etcd.MemberList(ctx)
	if err != nil {
		writeStatus(rw, http.StatusInternalServerError, "failed to get etcd MemberList: "+err.Error())
		return
	}
	writeJSON(rw, map[string]any{"members": members.Members})
}

// notAuthorized is the answer to a password that isn't this server's, also to
// the new one between `token rotate` and the next start.
const notAuthorized = "not authorized"

func (w *supervisor) authorized(r *http.Request, who string) bool {
	user, password, ok := r.BasicAuth()
	same := subtle.ConstantTimeCompare([]byte(password), []byte(w.server.password)) == 1
	return ok && user == who && same
}

// snapshotRequest is the body of POST /db/snapshot.
type snapshotRequest struct {
	Operation string   `json:"operation"`
	Name      []string `json:"name,omitempty"`
	Dir       *string  `json:"dir,omitempty"`
	Compress  *bool    `json:"compress,omitempty"`
	Retention *int     `json:"retention,omitempty"`
	S3        *s3Flags `json:"s3,omitempty"`
}

// snapshotResult is the answer to all operations but list.
type snapshotResult struct {
	Created []string `json:"created,omitempty"`
	Deleted []string `json:"deleted,omitempty"`
}

func (w *supervisor) snapshot(rw http.ResponseWriter, r *http.Request) {
	f := readFault(w.server.layout)
	if f.is("unauthorized") { // k3s of 1.27.13 to 1.31.4
		writeStatus(rw, http.StatusUnauthorized, "Unauthorized")
		return
	}
	if !w.authorized(r, "server") {
		writeStatus(rw, http.StatusUnauthorized, notAuthorized)
		return
	}
	if w.server.sqlite {
		writeStatus(rw, http.StatusBadRequest, "etcd datastore disabled")
		return
	}
	var request snapshotRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		writeStatus(rw, http.StatusBadRequest, err.Error())
		return
	}
	if request.S3 != nil {
		writeStatus(rw, http.StatusBadRequest, noS3Client(request.S3.set()).Error())
		return
	}
	if warning := restrict(w.server, &request); warning != "" {
		rw.Header().Set("Warning", fmt.Sprintf("299 - %q", warning))
	}
	answer, err := w.operate(r, request, f)
	if err != nil {
		id := time.Now().UnixNano() % 100000
		logrus.Errorf("etcd-snapshot error ID %d: %v", id, err)
		writeStatus(rw, http.StatusInternalServerError, fmt.Sprintf("Internal error occurred: etcd-snapshot error ID %d", id))
		return
	}
	writeJSON(rw, answer)
}

func (w *supervisor) operate(r *http.Request, request snapshotRequest, f fault) (any, error) {
	store, err := openStore(w.server, request.Dir)
	if err != nil {
		return nil, err
	}
	switch request.Operation {
	case "save":
		return w.saver.save(r.Context(), store, request, f)
	case "list":
		return store.list()
	case "delete":
		if f.is("delete-error") {
			return nil, fmt.Errorf("injected")
		}
		return store.remove(r.Context(), request.Name)
	case "prune":
		return store.prune(r.Context(), request)
	}
	return nil, fmt.Errorf("unknown operation %q", request.Operation)
}

func writeJSON(rw http.ResponseWriter, value any) {
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(value)
}

// writeStatus answers with an error as the Kubernetes API writes one.
func writeStatus(rw http.ResponseWriter, code int, message string) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(code)
	_ = json.NewEncoder(rw).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   metav1.StatusFailure, Message: message, Code: int32(code),
	})
}
