module example.com/sample-shop/gateway

go 1.19
