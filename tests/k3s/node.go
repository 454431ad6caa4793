package main

import "context"

func (s *server) startNode(ctx context.Context) error { return nil }
