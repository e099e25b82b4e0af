package main

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// Limiter counts requests by client and refuses those above the limit.
type Limiter struct {
	mu     sync.Mutex
	seen   map[string]int
	limit  int
	window time.Duration
	reset  time.Time
}

// NewLimiter allows limit requests a client within each window.
func NewLimiter(limit int, window time.Duration) *Limiter {
	return &Limiter{seen: map[string]int{}, limit: limit, window: window}
}

func (l *Limiter) Allow(client string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.After(l.reset) {
		l.seen = map[string]int{}
		l.reset = now.Add(l.window)
	}
	l.seen[client]++
	return l.seen[client] <= l.limit
}

// Wrap answers 429 in place of next when a client is over its limit.
func (l *Limiter) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			client = r.RemoteAddr
		}
		if !l.Allow(client, time.Now()) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many requests", http.StatusTooManyRequests)
			return
		}
		next.ServeHTTP(w, r)
	})
}
