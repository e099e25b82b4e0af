package main

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"sort"
	"strings"
)

type Router struct {
	prefixes []string
	backends map[string]http.Handler
}

// NewRouter sends each path prefix to a backend address. It panics on an
// address that is no URL: the table is part of the program.
func NewRouter(table map[string]string) *Router {
	router := &Router{backends: map[string]http.Handler{}}
	for prefix, address := range table {
		target, err := url.Parse(address)
		if err != nil {
			panic(err)
		}
		router.prefixes = append(router.prefixes, prefix)
		router.backends[prefix] = httputil.NewSingleHostReverseProxy(target)
	}
	sort.Slice(router.prefixes, func(i, j int) bool {
		return len(router.prefixes[i]) > len(router.prefixes[j])
	})
	return router
}

func (r *Router) Match(path string) (string, bool) {
	for _, prefix := range r.prefixes {
		if strings.HasPrefix(path, prefix) {
			return prefix, true
		}
	}
	return "", false
}

// ServeHTTP hands the request to the backend of the longest matching prefix.
func (r *Router) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	prefix, ok := r.Match(request.URL.Path)
	if !ok {
		http.NotFound(w, request)
		return
	}
	r.backends[prefix].ServeHTTP(w, request)
}

func HealthCheck(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"status":"ok"}`))
}
