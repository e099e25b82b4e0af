// Command gateway is the one HTTP entry of the shop.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"
)

func main() {
	address := flag.String("listen", "127.0.0.1:8080", "address to listen on")
	flag.Parse()

	routes := NewRouter(map[string]string{
		"/stock":  "http://127.0.0.1:8081",
		"/prices": "http://127.0.0.1:8082",
		"/":       "http://127.0.0.1:8083",
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", HealthCheck)
	mux.Handle("/", NewLimiter(100, time.Second).Wrap(routes))
	server := &http.Server{
		Addr:              *address,
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
	}
	log.Printf("listening on %s", *address)
	log.Fatal(server.ListenAndServe())
}
