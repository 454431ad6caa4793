package helmvalues

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
)

// stored is one revision of a release, as Helm keeps it in a Secret.
type stored struct {
	namespace, name, status string
	revision                int
	config                  string // JSON; empty: absent
}

func (s stored) record() []byte {
	config := ""
	if s.config != "" {
		config = `"config":` + s.config + `,`
	}
	return []byte(fmt.Sprintf(`{"name":%q,"info":{"first_deployed":"2026-01-02T03:04:05.678901234Z",`+
		`"last_deployed":"2026-01-02T03:04:05.678901234+01:00","deleted":"","status":%q},"chart":{"metadata":{"name":"web",`+
		`"version":"1.2.3","appVersion":"4.5"},"templates":[{"name":"t","data":"e30="}],"values":{"config":{"not":"this"}}},`+
		`%s"manifest":"---\na: \"}{\"\n","version":%d,"namespace":%q}`, s.name, s.status, config, s.revision, s.namespace))
}

// secret is the object as the API shows it. Its data has base64 twice: Helm's and the API's.
func (s stored) secret() map[string]any {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	writer.Write(s.record())
	writer.Close()
	once := base64.StdEncoding.EncodeToString(packed.Bytes())
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
		"metadata": map[string]any{
			"name": fmt.Sprintf("sh.helm.release.v1.%s.v%d", s.name, s.revision), "namespace": s.namespace,
			"labels": map[string]string{"name": s.name, "owner": "helm", "status": s.status, "version": fmt.Sprint(s.revision)},
		},
		"data": map[string]string{"release": base64.StdEncoding.EncodeToString([]byte(once))},
	}
}

func secretList(releases []stored) []byte {
	items := []any{}
	for _, release := range releases {
		items = append(items, release.secret())
	}
	list, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "SecretList", "metadata": map[string]any{}, "items": items})
	if err != nil {
		panic(err)
	}
	return list
}

// startAPI answers what `helm get` asks an API server, on loopback.
func startAPI(releases []stored) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		response.Header().Set("Content-Type", "application/json")
		if request.URL.Path == "/version" {
			fmt.Fprint(response, `{"major":"1","minor":"34","gitVersion":"v1.34.0"}`)
			return
		}
		parts := strings.Split(request.URL.Path, "/")
		if len(parts) != 6 || parts[5] != "secrets" {
			http.NotFound(response, request)
			return
		}
		var found []stored
		for _, release := range releases {
			if release.namespace == parts[4] && strings.Contains(request.URL.RawQuery, "name%3D"+release.name) {
				found = append(found, release)
			}
		}
		response.Write(secretList(found))
	}))
}
